#include "places.h"

#include <stdlib.h>

#include "fail.h"
#include "lines.h"
#include "memory.h"

static const char *root;
static const char *etc;
static const char *cgroup;
static unsigned long milliseconds = 1000;

/* A copy: `run` removes its variables from the environment. */
static const char *moved_or(const char *variable, const char *usual)
{
    const char *moved = getenv(variable);

    return copied(moved && *moved ? moved : usual);
}

void find_places(void)
{
    const char *unit = getenv("SPILLWAY_RUN_SECOND");

    root = moved_or("SPILLWAY_ROOT", "/spillway");
    etc = moved_or("SPILLWAY_RUN_ETC", "/etc");
    cgroup = moved_or("SPILLWAY_RUN_CGROUP", "/sys/fs/cgroup");
    if (unit && (!parse_number(unit, 1000, &milliseconds) || milliseconds == 0))
        fail(EXIT_PLAN, "SPILLWAY_RUN_SECOND is not a number from 1 to 1000");
}

const char *spillway_root(void)
{
    return root;
}

char *records_folder(void)
{
    return formatted("%s/records", root);
}

char *etc_file(const char *name)
{
    return formatted("%s/%s", etc, name);
}

char *cgroup_file(const char *name)
{
    return formatted("%s/%s", cgroup, name);
}

long long second(void)
{
    return (long long)milliseconds;
}
