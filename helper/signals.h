/* Signals arrive only where we wait for them: all are blocked, none has a handler. */
#ifndef SPILLWAY_SIGNALS_H
#define SPILLWAY_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* Block every signal. As process 1 we would be sent none otherwise: the kernel keeps those that nobody handles from
   the first process, except where they are blocked. */
void hold_signals(void);

/* The mask that we were started with: for a child. */
void restore_signals(void);

struct arrival {
    int signal;        /* 0: the moment came first */
    bool from_outside; /* a process that is in no namespace of ours sent it */
};

/* Wait for the next signal until the moment has come (NEVER: it does not). */
struct arrival next_signal(long long moment);

#endif
