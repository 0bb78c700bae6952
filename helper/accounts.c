#include "accounts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "lines.h"
#include "memory.h"
#include "places.h"

enum { MOST_FILE = 1 << 20, MOST_PARTS = 7 };

/* One line of /etc/passwd or /etc/group, cut at its colons. Missing parts are "". */
struct entry {
    char *parts[MOST_PARTS];
};

typedef bool entry_function(const struct entry *entry, void *context);

static void cut_entry(char *line, struct entry *entry)
{
    for (size_t i = 0; i < MOST_PARTS; i++)
        entry->parts[i] = line ? strsep(&line, ":") : "";
}

/* Call `take` with each line until it says true. An image without the file has no entries. */
static bool each_entry(const char *name, entry_function *take, void *context)
{
    char *path = etc_file(name);
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct bytes content;
    bool found = false;

    free(path);
    if (file < 0)
        return false;
    if (read_whole(file, MOST_FILE, &content)) {
        char *rest = (char *)content.data;
        for (char *line; !found && (line = strsep(&rest, "\n"));) {
            struct entry entry;
            cut_entry(line, &entry);
            found = take(&entry, context);
        }
        free(content.data);
    }
    close(file);
    return found;
}

struct user_search {
    const char *name;
    struct account *account;
    bool by_number;
};

static bool match_user(const struct entry *entry, void *context)
{
    struct user_search *search = context;
    struct account *account = search->account;
    unsigned long uid;
    unsigned long gid;

    if (!parse_number(entry->parts[2], MOST_ACCOUNT, &uid) || !parse_number(entry->parts[3], MOST_ACCOUNT, &gid))
        return false;
    if (search->by_number ? uid != account->uid : strcmp(entry->parts[0], search->name) != 0)
        return false;
    account->uid = (uid_t)uid;
    account->gid = (gid_t)gid;
    snprintf(account->name, sizeof account->name, "%s", entry->parts[0]);
    if (*entry->parts[5])
        snprintf(account->home, sizeof account->home, "%s", entry->parts[5]);
    return true;
}

bool find_user(const char *name_or_number, struct account *account)
{
    struct user_search search = {name_or_number, account, false};
    unsigned long number = 0;

    search.by_number = parse_number(name_or_number, MOST_ACCOUNT, &number);
    *account = (struct account){.uid = (uid_t)number, .home = "/"};
    return each_entry("passwd", match_user, &search) || search.by_number;
}

struct group_search {
    const char *name;
    unsigned long gid;
};

static bool match_group(const struct entry *entry, void *context)
{
    struct group_search *search = context;

    return strcmp(entry->parts[0], search->name) == 0 && parse_number(entry->parts[2], MOST_ACCOUNT, &search->gid);
}

bool find_group(const char *name_or_number, gid_t *gid)
{
    struct group_search search = {.name = name_or_number};

    if (!parse_number(name_or_number, MOST_ACCOUNT, &search.gid) && !each_entry("group", match_group, &search))
        return false;
    *gid = (gid_t)search.gid;
    return true;
}

struct member_search {
    const char *user;
    gid_t **groups;
    size_t *count;
};

static bool take_membership(const struct entry *entry, void *context)
{
    struct member_search *search = context;
    char *members = entry->parts[3];
    unsigned long gid;

    for (char *member; (member = strsep(&members, ","));) {
        if (strcmp(member, search->user) != 0 || !parse_number(entry->parts[2], MOST_ACCOUNT, &gid))
            continue;
        *search->groups = grown(*search->groups, *search->count, sizeof **search->groups);
        (*search->groups)[(*search->count)++] = (gid_t)gid;
    }
    return false;
}

void add_groups_of(const char *user, gid_t **groups, size_t *count)
{
    struct member_search search = {user, groups, count};

    if (*user)
        each_entry("group", take_membership, &search);
}
