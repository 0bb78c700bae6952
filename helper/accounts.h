/* Users and groups of the image: /etc/passwd and /etc/group, read without the C library's name services. */
#ifndef SPILLWAY_ACCOUNTS_H
#define SPILLWAY_ACCOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

struct account {
    char name[64]; /* "" where the image does not know the number */
    uid_t uid;
    gid_t gid;
    char home[256];
};

/* The user of a name or a number. A number that the image does not know has group 0 and home `/`; false for an
   unknown name. */
bool find_user(const char *name_or_number, struct account *account);

/* The group of a name or a number; false for an unknown name. */
bool find_group(const char *name_or_number, gid_t *gid);

/* Append the groups that list the user as a member. */
void add_groups_of(const char *user, gid_t **groups, size_t *count);

#endif
