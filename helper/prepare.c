#include "prepare.h"

#include <errno.h>
#include <string.h>

#include "environment.h"
#include "fail.h"
#include "files.h"
#include "network.h"

static void expand_command(const struct run_plan *plan, struct words *command)
{
    if (!plan->expands_command)
        return;
    for (size_t i = 0; i < command->count; i++)
        command->items[i] = expanded_word(plan, command->items[i]);
}

/* Runtimes make it where the image has none. */
static void make_workdir(const char *workdir)
{
    if (workdir && make_folders(workdir) < 0)
        fail(EXIT_SYSTEM, "cannot make %s: %s", workdir, strerror(errno));
}

void prepare(struct run_plan *plan, struct words *command, struct setting *setting)
{
    find_identity(&plan->identity, &setting->identity);
    if (plan->non_root && setting->identity.uid == 0)
        fail(EXIT_REFUSED, "the container must not run as root (runAsNonRoot), and its user is 0");
    set_variables(plan);
    set_home(plan, &setting->identity);
    expand_command(plan, command);
    remove_our_variables();
    for (size_t i = 0; i < plan->placement_count; i++)
        place(&plan->placements[i]);
    add_hosts(&plan->hosts);
    write_resolver(&plan->resolver);
    make_workdir(plan->workdir);
    setting->workdir = plan->workdir;
}

void prepare_beside(struct setting *setting)
{
    struct run_plan plan = {0};

    read_run_plan(&plan);
    find_identity(&plan.identity, &setting->identity);
    set_variables(&plan);
    set_home(&plan, &setting->identity);
    remove_our_variables();
    setting->workdir = plan.workdir;
}
