/* The instructions of `run`, as values. */
#ifndef SPILLWAY_RUN_PLAN_H
#define SPILLWAY_RUN_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "identity.h"
#include "memory.h"
#include "network.h"
#include "place.h"

enum variable_source { FROM_TEXT, FROM_POD_IP, FROM_POD_IPS };

struct variable {
    enum variable_source source;
    char *name;
    char *text;
};

enum hook_kind { NO_HOOK, EXEC_HOOK, SLEEP_HOOK };

struct hook {
    enum hook_kind kind;
    struct words command;
    unsigned long seconds;
};

enum restart_policy { RESTART_NEVER, RESTART_ON_FAILURE, RESTART_ALWAYS };

struct run_plan {
    bool non_root;
    bool expands_command;
    bool knows_all; /* without `known`: every variable that is set can be expanded */
    struct words known;
    struct variable *variables;
    size_t variable_count;
    struct placement *placements;
    size_t placement_count;
    struct words hosts;
    struct resolver resolver;
    struct wanted_identity identity;
    char *workdir;
    struct hook start;
    struct hook stop;
    unsigned long grace;
    int stop_signal;
    bool signal_given; /* else the command gets the one that comes from outside */
    char *message_path;
    size_t message_bytes;
    enum restart_policy restart;
};

/* From SPILLWAY_RUN and SPILLWAY_RUN_OWN. Ends the program where one of their lines is not right. */
void read_run_plan(struct run_plan *plan);

#endif
