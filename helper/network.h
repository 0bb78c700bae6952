/* /etc/hosts and /etc/resolv.conf, which the containers of a task may share. */
#ifndef SPILLWAY_NETWORK_H
#define SPILLWAY_NETWORK_H

#include <stdbool.h>

#include "memory.h"

/* An empty list keeps the lines that are there. */
struct resolver {
    bool given;
    struct words servers;
    struct words search;
    struct words options;
};

/* Append those lines that are not there yet. Ends the program where it cannot. */
void add_hosts(const struct words *lines);

void write_resolver(const struct resolver *resolver);

#endif
