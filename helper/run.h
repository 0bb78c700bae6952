/* `run`: process 1 of a container that does what a kubelet does around its command. */
#ifndef SPILLWAY_RUN_H
#define SPILLWAY_RUN_H

/* `arguments` begin with the container's name. The result is the exit code. */
int run(char **arguments);

#endif
