/* What a wrapper records of its container, one JSON object per line. */
#ifndef SPILLWAY_RECORDS_H
#define SPILLWAY_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "memory.h"

/* Where the records go; a container whose file cannot be had runs without, after one line on standard error. */
struct records {
    const char *container;
    int file;
};

/* How a run ended. `again`, when the next is due, is 0 where there is none. */
struct ending {
    long long started;
    long long finished;
    int code;
    int signal;
    bool out_of_memory;
    long long again;
    struct bytes message;
};

/* Whether a container may be called so: it becomes the name of a file. */
bool is_container_name(const char *name);

void open_records(struct records *records, const char *container);
/* `no_message` says why there can be no termination message; NULL where there can. */
void record_start(const struct records *records, unsigned run, long long started, const char *no_message);
void record_end(const struct records *records, unsigned run, const struct ending *ending);
void record_hook_failure(const struct records *records, unsigned run, const char *hook, const char *error);
void record_done(const struct records *records, int code);

/* Whether the line says that its container is done. */
bool is_done_record(const char *line, size_t length, const char *container);

#endif
