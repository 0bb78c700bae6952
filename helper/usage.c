#include "usage.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "files.h"
#include "metadata.h"
#include "places.h"
#include "records.h"

/* Seconds until the first reading, when the other containers have begun, and between two; milliseconds that the
   endpoint may take for each of its two answers. */
enum { FIRST = 5, PERIOD = 15, ASK_TIMEOUT = 2000 };

/* What a pipe takes at once, so that no other line mixes with it. */
enum { MOST_LINE = 4096 };

static const char start_of_record[] = "{\"record\":\"usage\",";

struct measure {
    char name[64];
    char at[64];
    unsigned long cpu;    /* nanoseconds since the container's start */
    unsigned long memory; /* bytes that cannot be reclaimed */
};

static bool number_at(struct json object, const char *group, const char *name, unsigned long *number)
{
    struct json inner = object;

    return (!group || json_member(object, group, &inner)) && json_member(inner, name, &inner) &&
           json_number(inner, number);
}

/* Working set as a kubelet has it: without what is cached and was not read again. cgroup v1 counts the cgroups below
   under `total_`, v2 has but one number. */
static bool take_memory(struct json statistics, unsigned long *memory)
{
    struct json group;
    unsigned long cached;

    if (!json_member(statistics, "memory_stats", &group) || !number_at(group, NULL, "usage", memory))
        return false;
    if (!number_at(group, "stats", "total_inactive_file", &cached) &&
        !number_at(group, "stats", "inactive_file", &cached))
        cached = 0;
    *memory -= cached < *memory ? cached : *memory;
    return true;
}

static bool take_cpu(struct json statistics, unsigned long *cpu)
{
    struct json group;

    return json_member(statistics, "cpu_stats", &group) && number_at(group, "cpu_usage", "total_usage", cpu);
}

static bool take_time(struct json statistics, char *text, size_t room)
{
    struct json read;

    return json_member(statistics, "read", &read) && json_text(read, text, room) &&
           strspn(text, "0123456789-:.TZ+") == strlen(text);
}

/* False for one of ours, and for one that was not measured: it does not run, or has only just begun. */
static bool take_measure(struct json container, struct json all, struct measure *measure)
{
    char id[128];
    struct json value;
    struct json statistics;

    if (!json_member(container, "Name", &value) || !json_text(value, measure->name, sizeof measure->name))
        return false;
    if (!is_container_name(measure->name) || strcmp(measure->name, "spillway-keeper") == 0 ||
        strcmp(measure->name, "spillway-install") == 0)
        return false;
    return json_member(container, "DockerId", &value) && json_text(value, id, sizeof id) &&
           json_member(all, id, &statistics) && take_time(statistics, measure->at, sizeof measure->at) &&
           take_cpu(statistics, &measure->cpu) && measure->cpu > 0 && take_memory(statistics, &measure->memory);
}

static void print_record(struct json containers, struct json statistics)
{
    char *line = formatted("%s\"containers\":{", start_of_record);
    const char *separator = "";
    struct json container;

    for (bool more = json_first(containers, &container); more; more = json_next(containers, &container)) {
        struct measure measure;
        if (strlen(line) > MOST_LINE - 256 || !take_measure(container, statistics, &measure))
            continue;
        char *longer = formatted("%s%s\"%s\":[\"%s\",%lu,%lu]", line, separator, measure.name, measure.at, measure.cpu,
                                 measure.memory);
        free(line);
        line = longer;
        separator = ",";
    }
    if (*separator) {
        char *whole = formatted("%s}}\n", line);
        write_all(STDOUT_FILENO, whole, strlen(whole));
        free(whole);
    }
    free(line);
}

static bool tell_usage(const char **problem)
{
    struct task_look task;
    struct task_look statistics;
    struct json containers;

    if (!look_at_task(ASK_TIMEOUT, &task, problem) || !look_at_statistics(ASK_TIMEOUT, &statistics, problem))
        return false;
    if (json_member(task.task, "Containers", &containers))
        print_record(containers, statistics.task);
    return true;
}

/* A process of its own, which ends with us: an endpoint that hangs holds only it up, and its memory goes with it. */
static _Noreturn void read_once(bool silent, pid_t keeper)
{
    const char *problem = "";

    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != keeper)
        _exit(EXIT_SYSTEM);
    if (silent)
        close(STDERR_FILENO);
    if (tell_usage(&problem))
        _exit(0);
    complain("usage is not told: the task metadata endpoint: %s; this is said once", problem);
    _exit(EXIT_SYSTEM);
}

void start_usage(struct usage_teller *teller)
{
    bool can = getenv("ECS_CONTAINER_METADATA_URI_V4");

    *teller = (struct usage_teller){.due = can ? monotonic_now() + FIRST * second() : NEVER};
}

static bool is_reading(struct usage_teller *teller)
{
    int status;

    if (teller->child == 0)
        return false;
    if (waitpid(teller->child, &status, WNOHANG) == 0)
        return true;
    teller->complained |= status != 0;
    teller->child = 0;
    return false;
}

void follow_usage(struct usage_teller *teller)
{
    pid_t keeper = getpid();

    if (is_reading(teller) || monotonic_now() < teller->due)
        return;
    teller->due = monotonic_now() + PERIOD * second();
    pid_t child = fork();
    if (child == 0)
        read_once(teller->complained, keeper);
    teller->child = child > 0 ? child : 0;
}

void stop_usage(struct usage_teller *teller)
{
    if (teller->child == 0)
        return;
    kill(teller->child, SIGKILL);
    waitpid(teller->child, NULL, 0);
    teller->child = 0;
}

bool has_usage_record(const char *line, size_t length)
{
    return memmem(line, length, start_of_record, sizeof start_of_record - 1) != NULL;
}
