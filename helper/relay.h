/* A command's three streams inside one raw terminal. */
#ifndef SPILLWAY_RELAY_H
#define SPILLWAY_RELAY_H

#include "child.h"
#include "typed.h"

/* Run the command to its end, its streams framed on the terminal. The result is its exit code. */
int relay(const struct words *command, const struct setting *setting, struct typed *typed);

#endif
