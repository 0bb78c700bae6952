#include "environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounts.h"
#include "clock.h"
#include "expand.h"
#include "fail.h"
#include "metadata.h"
#include "places.h"
#include "signals.h"

/* A task's network is up before its containers start; the endpoint may be busy, though. */
enum { LOOK_TIMEOUT = 5000, MOST_WAIT = 30 };

static const char OURS[] = "SPILLWAY_RUN";
static const char VALUES[] = "SPILLWAY_RUN_VALUE_";

extern char **environ;

static const char *value_of(const char *name, size_t length)
{
    for (char **entry = environ; *entry; entry++)
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    return NULL;
}

static bool is_known(const struct run_plan *plan, const char *name, size_t length)
{
    if (plan->knows_all)
        return true;
    for (size_t i = 0; i < plan->known.count; i++)
        if (strlen(plan->known.items[i]) == length && memcmp(plan->known.items[i], name, length) == 0)
            return true;
    return false;
}

static bool begins_with(const char *name, size_t length, const char *prefix)
{
    return length >= strlen(prefix) && memcmp(name, prefix, strlen(prefix)) == 0;
}

/* Of our own variables only those that carry values are there to be referred to. */
static bool is_hidden(const char *name, size_t length)
{
    return begins_with(name, length, OURS) && !begins_with(name, length, VALUES);
}

static const char *look_up(const char *name, size_t length, const void *context)
{
    /* "A=B" is no name, although an entry may begin with "A=B=". */
    if (length == 0 || memchr(name, '=', length) || is_hidden(name, length) || !is_known(context, name, length))
        return NULL;
    return value_of(name, length);
}

char *expanded_word(const struct run_plan *plan, const char *word)
{
    return expanded(word, look_up, plan);
}

void remove_our_variables(void)
{
    char **entry = environ;

    while (*entry) {
        if (!begins_with(*entry, strlen(*entry), OURS)) {
            entry++;
            continue;
        }
        char *name = formatted("%.*s", (int)strcspn(*entry, "="), *entry);
        if (unsetenv(name) < 0)
            fail(EXIT_SYSTEM, "cannot remove variable %s", name);
        free(name);
        /* Removing moves the entries. */
        entry = environ;
    }
}

static void look_for_addresses(struct addresses *addresses, int stop_signal)
{
    const char *problem;
    long long deadline = monotonic_now() + MOST_WAIT * second();
    struct task_look look;

    for (;;) {
        if (look_at_task(LOOK_TIMEOUT, &look, &problem)) {
            bool found = find_addresses(&look, addresses);
            free(look.text.data);
            if (found)
                return;
            problem = "no container has an address";
        }
        if (monotonic_now() >= deadline)
            fail(EXIT_SYSTEM, "cannot find the task's address at the task metadata endpoint: %s", problem);
        struct arrival arrival = next_signal(monotonic_now() + second() / 2);
        if (arrival.signal == SIGTERM || arrival.signal == stop_signal || arrival.from_outside)
            _exit(EXIT_SIGNAL + arrival.signal);
    }
}

static char *address_text(const struct addresses *addresses, enum variable_source source)
{
    const char *first = *addresses->v4 ? addresses->v4 : addresses->v6;

    if (source == FROM_POD_IPS && *addresses->v4 && *addresses->v6)
        return formatted("%s,%s", addresses->v4, addresses->v6);
    return copied(first);
}

static bool needs_addresses(const struct run_plan *plan)
{
    for (size_t i = 0; i < plan->variable_count; i++)
        if (plan->variables[i].source != FROM_TEXT)
            return true;
    return false;
}

void set_variables(struct run_plan *plan)
{
    struct addresses addresses = {0};

    if (needs_addresses(plan))
        look_for_addresses(&addresses, plan->stop_signal);
    for (size_t i = 0; i < plan->variable_count; i++) {
        const struct variable *variable = &plan->variables[i];
        char *value = variable->source == FROM_TEXT ? expanded_word(plan, variable->text)
                                                    : address_text(&addresses, variable->source);
        if (setenv(variable->name, value, 1) < 0)
            fail(EXIT_SYSTEM, "cannot set variable %s", variable->name);
        if (!plan->knows_all)
            add_word(&plan->known, variable->name);
        free(value);
    }
}

/* Whether the pod itself sets the variable. */
static bool is_the_pods(const struct run_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->variable_count; i++)
        if (strcmp(plan->variables[i].name, name) == 0)
            return true;
    return !plan->knows_all && is_known(plan, name, strlen(name));
}

void set_home(const struct run_plan *plan, const struct identity *identity)
{
    struct account starting;
    char number[16];
    const char *home = getenv("HOME");

    if (!identity->changes_user || is_the_pods(plan, "HOME"))
        return;
    snprintf(number, sizeof number, "%u", (unsigned)getuid());
    find_user(number, &starting);
    if (home && *home && strcmp(home, starting.home) != 0)
        return;
    if (setenv("HOME", identity->home, 1) < 0)
        fail(EXIT_SYSTEM, "cannot set variable HOME");
}
