/* Processes that we start, and those that are left to us. */
#ifndef SPILLWAY_CHILD_H
#define SPILLWAY_CHILD_H

#include <sys/types.h>

#include "run_plan.h"

/* Where and as whom a child runs. */
struct setting {
    const char *workdir; /* NULL: where we are */
    struct identity identity;
};

/* Start the container's command. It leads a process group of its own, which gets the terminal where there is one,
   and is killed when we are. Ends the program where it cannot fork. */
pid_t start_command(const struct words *command, const struct setting *setting);

/* Start a hook: as the command, with nothing to read, and what it writes goes nowhere. -1 and errno where it
   cannot fork. */
pid_t start_hook(const struct words *command, const struct setting *setting);

/* Start a command with these files, which are above 2, as its standard input, output and error. It leads a session of
   its own, without a terminal, and is killed when we are. Ends the program where it cannot fork. */
pid_t start_piped(const struct words *command, const struct setting *setting, const int files[3]);

/* Send a signal to a process of ours; false where it cannot be sent. */
bool send_signal(pid_t process, int signal, const struct identity *identity);

/* Send a signal to the group that a process of ours leads, or is about to. */
void signal_group(pid_t leader, int signal, const struct identity *identity);

/* Take the terminal back from a command that has ended. */
void take_terminal(void);

/* Become the parent of all whose parent dies, as process 1 is anyway. */
void adopt_orphans(void);

/* Kill and reap every process that is left below us, as the end of a container does. */
void end_descendants(const struct identity *identity);

#endif
