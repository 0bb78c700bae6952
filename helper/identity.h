/* Who the command runs as: user, groups, capabilities. */
#ifndef SPILLWAY_IDENTITY_H
#define SPILLWAY_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "memory.h"

/* As the instructions have it; names are not looked up yet. NULL is `-`. */
struct wanted_identity {
    char *user;
    char *group;
    struct words groups;
    bool user_given;
    uint64_t dropped; /* one bit for each capability */
    bool no_new_privileges;
};

struct identity {
    bool changes_user;
    bool changes_group;
    bool changes_groups;
    uid_t uid;
    gid_t gid;
    gid_t *groups;
    size_t group_count;
    uint64_t dropped;
    bool no_new_privileges;
    char home[256]; /* of the new user */
};

/* The bits of a capability named as in Kubernetes (without `CAP_`; `ALL`); 0 where there is none of that name. */
uint64_t capability_bits(const char *name);

/* Look names up in the image. Ends the program where it does not know one. */
void find_identity(const struct wanted_identity *wanted, struct identity *identity);

/* Become it, for good. Ends the program where the system refuses any part: never less than was asked for. */
void become(const struct identity *identity);

#endif
