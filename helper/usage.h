/* What the task's containers use, printed as records now and then by a process beside the keeper. */
#ifndef SPILLWAY_USAGE_H
#define SPILLWAY_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct usage_teller {
    pid_t child;     /* that reads and prints; 0: none */
    long long due;   /* when the next one starts */
    bool complained; /* a failure was told */
};

void start_usage(struct usage_teller *teller);

/* Start the next reading where it is due and the last one has ended. Never waits. */
void follow_usage(struct usage_teller *teller);

/* End the reading that goes on. */
void stop_usage(struct usage_teller *teller);

/* Whether a record that only we print begins anywhere in a line. */
bool has_usage_record(const char *line, size_t length);

#endif
