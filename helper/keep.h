/* `keep`: prints what the wrappers of the task record. */
#ifndef SPILLWAY_KEEP_H
#define SPILLWAY_KEEP_H

/* `names`, NULL-terminated, are the containers to wait for. The result is the exit code. */
int keep(char **names);

#endif
