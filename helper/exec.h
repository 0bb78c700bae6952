/* `exec`: one command in one terminal, for `kubectl exec`. */
#ifndef SPILLWAY_EXEC_H
#define SPILLWAY_EXEC_H

/* `pipe NONCE` or `tty NONCE`. The result is the command's exit code. */
int exec_command(char **arguments);

#endif
