/* A command's three streams inside one raw terminal. */
#ifndef SPILLWAY_RELAY_H
#define SPILLWAY_RELAY_H

#include "child.h"
#include "typed.h"

/* How we speak with whoever types. */
struct wire {
    const char *key;   /* stands behind the mark of every line: nobody else in the container knows it */
    long long silence; /* milliseconds without anything typed, after which nobody is there any more */
};

/* Run the command to its end, its streams framed on the terminal. The result is its exit code. */
int relay(const struct words *command, const struct setting *setting, struct typed *typed, struct wire wire);

#endif
