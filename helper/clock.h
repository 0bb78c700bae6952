/* The two clocks, in milliseconds. */
#ifndef SPILLWAY_CLOCK_H
#define SPILLWAY_CLOCK_H

#include <limits.h>

/* A moment that never comes. */
#define NEVER LLONG_MAX

/* For waiting: goes on whatever is done to the time of day. */
long long monotonic_now(void);

/* Since 1970, for people. */
long long wall_now(void);

enum { TIMESTAMP_SIZE = 32 };

/* RFC 3339 in UTC, as in 2026-01-01T12:00:00.000Z. */
void write_timestamp(long long wall, char text[TIMESTAMP_SIZE]);

#endif
