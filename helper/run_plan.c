#include "run_plan.h"

#include <arpa/inet.h>
#include <signal.h>
#include <string.h>

#include "lines.h"

/* As long as ECS lets a task definition say, and more than any pod asks for. */
enum { MOST_SECONDS = 100000000, MOST_MESSAGE = 65536, MOST_SIGNAL = 64 };

static const char NAME_CHARACTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

static void once(const struct line *line, bool given)
{
    if (given)
        reject(line, "it is given twice");
}

static void take_nonroot(const struct line *line, void *into)
{
    struct run_plan *plan = into;

    once(line, plan->non_root);
    plan->non_root = true;
}

static void add_variable(struct run_plan *plan, struct variable variable)
{
    plan->variables = grown(plan->variables, plan->variable_count, sizeof *plan->variables);
    plan->variables[plan->variable_count++] = variable;
}

static void take_fact(const struct line *line, void *into)
{
    struct variable variable = {.name = variable_field(line, 1)};

    if (strcmp(field(line, 2), "podIP") == 0)
        variable.source = FROM_POD_IP;
    else if (strcmp(field(line, 2), "podIPs") == 0)
        variable.source = FROM_POD_IPS;
    else
        reject(line, "the fact is neither podIP nor podIPs");
    add_variable(into, variable);
}

static void take_env(const struct line *line, void *into)
{
    add_variable(into, (struct variable){FROM_TEXT, variable_field(line, 1), text_field(line, 2, "the text")});
}

static void take_known(const struct line *line, void *into)
{
    struct run_plan *plan = into;

    plan->knows_all = false;
    for (size_t i = 1; i < line->fields.count; i++)
        if (!is_absent(line, i))
            add_word(&plan->known, variable_field(line, i));
}

static void take_words(const struct line *line, void *into)
{
    struct run_plan *plan = into;

    once(line, plan->expands_command);
    plan->expands_command = true;
}

static void take_place(const struct line *line, void *into)
{
    struct run_plan *plan = into;
    struct placement placement = {path_field(line, 1, "SOURCE"), path_field(line, 2, "TARGET"),
                                  is_absent(line, 3), 0};

    if (!placement.keeps_mode)
        placement.mode = mode_field(line, 3);
    plan->placements = grown(plan->placements, plan->placement_count, sizeof *plan->placements);
    plan->placements[plan->placement_count++] = placement;
}

static void check_address(const struct line *line, const char *address)
{
    unsigned char binary[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, address, binary) != 1 && inet_pton(AF_INET6, address, binary) != 1)
        reject(line, "%.64s is not an IP address", address);
}

static void check_name(const struct line *line, const char *name, const char *more_characters)
{
    while (*name && (strchr(NAME_CHARACTERS, *name) || strchr(more_characters, *name)))
        name++;
    if (*name)
        reject(line, "a name has a character that no name has");
}

static void take_host(const struct line *line, void *into)
{
    struct run_plan *plan = into;
    char *text = copied(field(line, 1));

    check_address(line, text);
    for (size_t i = 2; i < line->fields.count; i++) {
        check_name(line, field(line, i), "");
        text = formatted("%s%c%s", text, i == 2 ? '\t' : ' ', field(line, i));
    }
    add_word(&plan->hosts, text);
}

static void take_resolve(const struct line *line, void *into)
{
    struct run_plan *plan = into;

    once(line, plan->resolver.given);
    plan->resolver = (struct resolver){true, list_field(line, 1, "SERVERS"), list_field(line, 2, "SEARCH"),
                                       list_field(line, 3, "OPTIONS")};
    for (size_t i = 0; i < plan->resolver.servers.count; i++)
        check_address(line, plan->resolver.servers.items[i]);
    for (size_t i = 0; i < plan->resolver.search.count; i++)
        check_name(line, plan->resolver.search.items[i], "");
    for (size_t i = 0; i < plan->resolver.options.count; i++)
        check_name(line, plan->resolver.options.items[i], ":");
}

/* A name or a number; NULL for `-`. */
static char *account_name(const struct line *line, size_t index)
{
    unsigned long number;
    const char *name = field(line, index);

    if (is_absent(line, index))
        return NULL;
    check_name(line, name, "");
    if (strspn(name, "0123456789") == strlen(name) && !parse_number(name, MOST_ACCOUNT, &number))
        reject(line, "a user or group is not a number from 0 to %lu", MOST_ACCOUNT);
    return copied(name);
}

static void take_user(const struct line *line, void *into)
{
    struct wanted_identity *identity = &((struct run_plan *)into)->identity;

    once(line, identity->user_given);
    identity->user_given = true;
    identity->user = account_name(line, 1);
    identity->group = account_name(line, 2);
    identity->groups = list_field(line, 3, "GROUPS");
    for (size_t i = 0; i < identity->groups.count; i++)
        if (i > 0 || strcmp(identity->groups.items[i], "+") != 0)
            check_name(line, identity->groups.items[i], "");
}

static void take_drop(const struct line *line, void *into)
{
    struct wanted_identity *identity = &((struct run_plan *)into)->identity;
    struct words names = list_field(line, 1, "CAPABILITIES");

    once(line, identity->dropped != 0);
    for (size_t i = 0; i < names.count; i++) {
        uint64_t bits = capability_bits(names.items[i]);
        if (!bits)
            reject(line, "%.64s is not a capability", names.items[i]);
        identity->dropped |= bits;
    }
}

static void take_nonewprivileges(const struct line *line, void *into)
{
    struct wanted_identity *identity = &((struct run_plan *)into)->identity;

    once(line, identity->no_new_privileges);
    identity->no_new_privileges = true;
}

static void take_workdir(const struct line *line, void *into)
{
    struct run_plan *plan = into;

    once(line, plan->workdir);
    plan->workdir = text_field(line, 1, "the folder");
    if (plan->workdir[0] != '/')
        reject(line, "the folder is not an absolute path");
}

static void take_hook(const struct line *line, struct hook *hook)
{
    once(line, hook->kind != NO_HOOK);
    if (strcmp(field(line, 1), "sleep") == 0 && line->fields.count == 3) {
        *hook = (struct hook){.kind = SLEEP_HOOK, .seconds = number_field(line, 2, "SECONDS", MOST_SECONDS)};
        return;
    }
    if (strcmp(field(line, 1), "exec") != 0)
        reject(line, "it is neither exec with words nor sleep with seconds");
    hook->kind = EXEC_HOOK;
    for (size_t i = 2; i < line->fields.count; i++)
        add_word(&hook->command, text_field(line, i, "a word"));
}

static void take_start(const struct line *line, void *into)
{
    take_hook(line, &((struct run_plan *)into)->start);
}

static void take_stop(const struct line *line, void *into)
{
    take_hook(line, &((struct run_plan *)into)->stop);
}

static void take_grace(const struct line *line, void *into)
{
    ((struct run_plan *)into)->grace = number_field(line, 1, "SECONDS", MOST_SECONDS);
}

static void take_signal(const struct line *line, void *into)
{
    unsigned long number = number_field(line, 1, "NUMBER", MOST_SIGNAL);

    if (number == 0 || number == SIGKILL || number == SIGSTOP || number == SIGCHLD)
        reject(line, "it is not a signal that can ask a command to end");
    ((struct run_plan *)into)->stop_signal = (int)number;
    ((struct run_plan *)into)->signal_given = true;
}

static void take_message(const struct line *line, void *into)
{
    struct run_plan *plan = into;

    once(line, plan->message_path);
    plan->message_path = path_field(line, 1, "PATH");
    if (strcmp(field(line, 2), "File") != 0 && strcmp(field(line, 2), "FallbackToLogsOnError") != 0)
        reject(line, "POLICY is neither File nor FallbackToLogsOnError");
    plan->message_bytes = number_field(line, 3, "BYTES", MOST_MESSAGE);
}

static void take_restart(const struct line *line, void *into)
{
    struct run_plan *plan = into;
    const char *policy = field(line, 1);

    if (strcmp(policy, "Always") == 0)
        plan->restart = RESTART_ALWAYS;
    else if (strcmp(policy, "OnFailure") == 0)
        plan->restart = RESTART_ON_FAILURE;
    else if (strcmp(policy, "Never") == 0)
        plan->restart = RESTART_NEVER;
    else
        reject(line, "the policy is none of Always, OnFailure and Never");
}

static const struct instruction INSTRUCTIONS[] = {
    {"nonroot", 0, 0, take_nonroot},
    {"known", 1, ANY_NUMBER, take_known},
    {"fact", 2, 2, take_fact},
    {"env", 2, 2, take_env},
    {"words", 0, 0, take_words},
    {"place", 3, 3, take_place},
    {"host", 2, ANY_NUMBER, take_host},
    {"resolve", 3, 3, take_resolve},
    {"user", 3, 3, take_user},
    {"drop", 1, 1, take_drop},
    {"nonewprivileges", 0, 0, take_nonewprivileges},
    {"workdir", 1, 1, take_workdir},
    {"start", 2, ANY_NUMBER, take_start},
    {"stop", 2, ANY_NUMBER, take_stop},
    {"grace", 1, 1, take_grace},
    {"signal", 1, 1, take_signal},
    {"message", 3, 3, take_message},
    {"restart", 1, 1, take_restart},
};

void read_run_plan(struct run_plan *plan)
{
    size_t count = sizeof INSTRUCTIONS / sizeof *INSTRUCTIONS;

    *plan = (struct run_plan){.knows_all = true, .grace = 30, .stop_signal = SIGTERM};
    take_lines("SPILLWAY_RUN", INSTRUCTIONS, count, plan);
    take_lines("SPILLWAY_RUN_OWN", INSTRUCTIONS, count, plan);
}
