/* What the task metadata endpoint says of our task.
   https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html */
#ifndef SPILLWAY_METADATA_H
#define SPILLWAY_METADATA_H

#include <stdbool.h>

#include "json.h"
#include "memory.h"

enum { ADDRESS_SIZE = 46 };

/* The task's addresses; one that it has not is "". */
struct addresses {
    char v4[ADDRESS_SIZE];
    char v6[ADDRESS_SIZE];
};

/* One look at the task; `text` holds it and is the caller's to free. */
struct task_look {
    struct bytes text;
    struct json task;
};

/* False, with what went wrong in `*problem`, where the endpoint does not answer within `timeout` milliseconds. */
bool look_at_task(int timeout, struct task_look *look, const char **problem);

/* The same of Docker's statistics of its containers, by their ids. */
bool look_at_statistics(int timeout, struct task_look *look, const char **problem);

/* False where no container has an address yet. */
bool find_addresses(const struct task_look *look, struct addresses *addresses);

/* Whether the container is known to have stopped. */
bool has_stopped(const struct task_look *look, const char *container);

#endif
