/* Signals arrive only where we wait for them: all are blocked, none has a handler. */
#ifndef SPILLWAY_SIGNALS_H
#define SPILLWAY_SIGNALS_H

#include <signal.h>

/* Block every signal. As process 1 we would be sent none otherwise: the kernel keeps those that nobody handles from
   the first process, except where they are blocked. */
void hold_signals(void);

/* The mask that we were started with: for a child. */
void restore_signals(void);

/* The next signal, or 0 when the moment has come (NEVER: it does not). */
int next_signal(long long moment);

#endif
