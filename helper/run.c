#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backoff.h"
#include "child.h"
#include "clock.h"
#include "fail.h"
#include "message.h"
#include "oom.h"
#include "places.h"
#include "prepare.h"
#include "records.h"
#include "signals.h"

/* Of the grace, the least that stays for the command when its preStop hook takes longer: kubelet's 2 seconds. They
   come out of the grace, not on top of it: ECS does not wait longer. */
enum { LEAST_FOR_COMMAND = 2 };

/* One run of the command and what is going on around it. */
struct attempt {
    unsigned number;
    pid_t command; /* 0 once it has ended */
    pid_t start_hook;
    pid_t stop_hook;
    int status;
    bool stopping; /* the grace is running */
    bool asked;    /* the command got its signal */
    int signal;    /* which that is */
    long long ask_at;
    long long kill_at;
};

struct wrapper {
    struct run_plan plan;
    struct words command;
    struct setting setting;
    struct records records;
    struct attempt attempt;
    bool ending; /* we were asked to end: no further run */
};

static int code_of(int status)
{
    return WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

static void forward(const struct wrapper *wrapper, int signal)
{
    pid_t command = wrapper->attempt.command;

    if (command && !send_signal(command, signal, &wrapper->setting.identity))
        complain("cannot send signal %d to the command", signal);
}

static void ask_to_end(struct wrapper *wrapper)
{
    struct attempt *attempt = &wrapper->attempt;

    attempt->asked = true;
    attempt->ask_at = NEVER;
    forward(wrapper, attempt->signal);
}

/* Start the hook; 0 where that failed, which is then on record. */
static pid_t begin_hook(const struct wrapper *wrapper, const char *name, const struct hook *hook)
{
    pid_t process = start_hook(&hook->command, &wrapper->setting);

    if (process > 0)
        return process;
    record_hook_failure(&wrapper->records, wrapper->attempt.number, name, "it could not be started");
    return 0;
}

/* Begin to stop the command: the hook, then the signal, SIGKILL at the end of the grace. */
static void stop_command(struct wrapper *wrapper, int signal)
{
    struct attempt *attempt = &wrapper->attempt;
    const struct hook *hook = &wrapper->plan.stop;
    long long now = monotonic_now();
    long long grace = (long long)wrapper->plan.grace * second();
    long long reserved = LEAST_FOR_COMMAND * second();

    if (attempt->stopping || !attempt->command)
        return;
    attempt->stopping = true;
    attempt->signal = signal;
    attempt->kill_at = now + grace;
    if (hook->kind == NO_HOOK || grace == 0) {
        ask_to_end(wrapper);
        return;
    }
    attempt->ask_at = attempt->kill_at - (reserved < grace / 2 ? reserved : grace / 2);
    if (hook->kind == EXEC_HOOK)
        attempt->stop_hook = begin_hook(wrapper, "preStop", hook);
    else if (now + (long long)hook->seconds * second() < attempt->ask_at)
        attempt->ask_at = now + (long long)hook->seconds * second();
    if (hook->kind == EXEC_HOOK && !attempt->stop_hook)
        ask_to_end(wrapper);
}

/* True where the hook failed, which is then on record. */
static bool hook_failed(const struct wrapper *wrapper, const char *name, int status)
{
    if (code_of(status) == 0)
        return false;
    char *error = WIFSIGNALED(status) ? formatted("signal %d", WTERMSIG(status))
                                      : formatted("exit code %d", WEXITSTATUS(status));
    record_hook_failure(&wrapper->records, wrapper->attempt.number, name, error);
    free(error);
    return true;
}

static void take_end(struct wrapper *wrapper, pid_t process, int status)
{
    struct attempt *attempt = &wrapper->attempt;

    if (process == attempt->command) {
        attempt->command = 0;
        attempt->status = status;
    } else if (process == attempt->start_hook) {
        attempt->start_hook = 0;
        if (hook_failed(wrapper, "postStart", status))
            stop_command(wrapper, wrapper->plan.stop_signal);
    } else if (process == attempt->stop_hook) {
        attempt->stop_hook = 0;
        hook_failed(wrapper, "preStop", status);
        if (!attempt->asked)
            ask_to_end(wrapper);
    }
}

/* Whatever else ended was an orphan that came to us. */
static void reap(struct wrapper *wrapper)
{
    int status;

    for (pid_t process; (process = waitpid(-1, &status, WNOHANG)) > 0;)
        take_end(wrapper, process, status);
}

/* From outside of the container only ECS sends signals, and only to end it: its image's STOPSIGNAL. */
static bool asks_to_end(const struct wrapper *wrapper, struct arrival arrival)
{
    return arrival.signal == SIGTERM || arrival.signal == wrapper->plan.stop_signal || arrival.from_outside;
}

/* What asks the command to end: the plan's, which SIGTERM stands for, or else the image's. */
static int signal_for(const struct run_plan *plan, struct arrival arrival)
{
    return arrival.signal == SIGTERM || plan->signal_given ? plan->stop_signal : arrival.signal;
}

static void take_signal(struct wrapper *wrapper, struct arrival arrival)
{
    bool asks = asks_to_end(wrapper, arrival);

    wrapper->ending |= asks;
    if (arrival.signal == SIGCHLD)
        reap(wrapper);
    else if (!asks || wrapper->attempt.asked)
        forward(wrapper, arrival.signal);
    else
        stop_command(wrapper, signal_for(&wrapper->plan, arrival));
}

static void take_time(struct wrapper *wrapper)
{
    struct attempt *attempt = &wrapper->attempt;
    long long now = monotonic_now();

    if (now >= attempt->ask_at)
        ask_to_end(wrapper);
    if (now >= attempt->kill_at) {
        attempt->kill_at = NEVER;
        forward(wrapper, SIGKILL);
    }
}

static void run_command(struct wrapper *wrapper)
{
    struct attempt *attempt = &wrapper->attempt;
    const struct hook *hook = &wrapper->plan.start;

    attempt->command = start_command(&wrapper->command, &wrapper->setting);
    if (hook->kind == EXEC_HOOK)
        attempt->start_hook = begin_hook(wrapper, "postStart", hook);
    if (hook->kind == EXEC_HOOK && !attempt->start_hook)
        stop_command(wrapper, wrapper->plan.stop_signal);
    while (attempt->command) {
        struct arrival arrival =
            next_signal(attempt->ask_at < attempt->kill_at ? attempt->ask_at : attempt->kill_at);
        if (arrival.signal)
            take_signal(wrapper, arrival);
        take_time(wrapper);
    }
    take_terminal();
    end_descendants(&wrapper->setting.identity);
}

static bool runs_again(const struct wrapper *wrapper, int code)
{
    if (wrapper->ending)
        return false;
    return wrapper->plan.restart == RESTART_ALWAYS || (wrapper->plan.restart == RESTART_ON_FAILURE && code != 0);
}

/* Run the command once, with its records. The result is the time to the next run, NEVER where there is none. */
static long long run_once(struct wrapper *wrapper, struct backoff *backoff)
{
    struct ending ending = {.started = wall_now()};
    const struct run_plan *plan = &wrapper->plan;
    long long begun = monotonic_now();
    unsigned long kills = oom_kills();
    long long delay = NEVER;

    wrapper->attempt = (struct attempt){.number = wrapper->attempt.number + 1, .ask_at = NEVER, .kill_at = NEVER};
    const char *no_message = plan->message_path ? prepare_message(plan->message_path) : NULL;
    record_start(&wrapper->records, wrapper->attempt.number, ending.started, no_message);
    run_command(wrapper);

    int status = wrapper->attempt.status;
    ending.finished = wall_now();
    ending.code = code_of(status);
    ending.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    ending.out_of_memory = ending.signal == SIGKILL && oom_kills() > kills;
    if (plan->message_path)
        ending.message = read_message(plan->message_path, plan->message_bytes);
    if (runs_again(wrapper, ending.code)) {
        delay = (long long)next_delay(backoff, monotonic_now() - begun, second()) * second();
        ending.again = ending.finished + delay;
    }
    record_end(&wrapper->records, wrapper->attempt.number, &ending);
    free(ending.message.data);
    return delay;
}

/* Between two runs. There is nobody to forward signals to; those that ask us to end, do. */
static void wait_for_next(struct wrapper *wrapper, long long delay)
{
    long long due = monotonic_now() + delay;

    while (!wrapper->ending) {
        struct arrival arrival = next_signal(due);
        if (!arrival.signal)
            return;
        if (arrival.signal == SIGCHLD)
            reap(wrapper);
        wrapper->ending = asks_to_end(wrapper, arrival);
    }
}

int run(char **arguments)
{
    struct wrapper wrapper = {0};
    struct backoff backoff = {0};

    if (!arguments[0] || !is_container_name(arguments[0]) || !arguments[1] || strcmp(arguments[1], "--") != 0 ||
        !arguments[2])
        fail(EXIT_PLAN, "usage: run NAME -- COMMAND...");
    for (char **word = arguments + 2; *word; word++)
        add_word(&wrapper.command, *word);
    hold_signals();
    read_run_plan(&wrapper.plan);
    adopt_orphans();
    prepare(&wrapper.plan, &wrapper.command, &wrapper.setting);
    open_records(&wrapper.records, arguments[0]);

    for (;;) {
        long long delay = run_once(&wrapper, &backoff);
        if (delay == NEVER)
            break;
        wait_for_next(&wrapper, delay);
        if (wrapper.ending)
            break;
    }
    int code = code_of(wrapper.attempt.status);
    record_done(&wrapper.records, code);
    return code;
}
