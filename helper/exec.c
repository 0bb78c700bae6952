#include "exec.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "fail.h"
#include "prepare.h"
#include "relay.h"
#include "signals.h"
#include "terminal.h"
#include "typed.h"

/* What a command gets for its end once the terminal is gone, in milliseconds. */
enum { GRACE = 2000 };

/* What we are ready for: to be told a key before the command. */
enum { TAKES_KEY = 2 };

/* A week, in seconds: what is more is no limit. */
enum { MOST_SILENCE = 604800 };

/* A key, how many seconds of silence are too many, and the command. */
struct order {
    char *key;
    long long silence;
    struct words command;
};

/* Others in the container may neither look for the key in our memory nor write to our files as theirs. What we
   execute is its user's own again. */
static void keep_to_ourselves(void)
{
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        fail(EXIT_SYSTEM, "cannot hide from other processes: %s", strerror(errno));
}

static long long seconds_of(const char *text)
{
    char *end;
    long long seconds = strtoll(text, &end, 10);

    if (!*text || *end || seconds < 1 || seconds > MOST_SILENCE)
        fail(EXIT_PLAN, "the second word typed is no number of seconds");
    return seconds;
}

/* Words, each followed by a NUL. */
static void read_order(struct typed *typed, struct order *order)
{
    struct bytes document = read_document(typed);
    struct words words = {0};

    if (document.size > 0 && document.data[document.size - 1] == '\0')
        for (size_t at = 0; at < document.size; at += strlen((char *)document.data + at) + 1)
            add_word(&words, copied((char *)document.data + at));
    free(document.data);
    if (words.count < 3)
        fail(EXIT_PLAN, "no command was typed");
    order->key = words.items[0];
    order->silence = seconds_of(words.items[1]);
    for (size_t i = 2; i < words.count; i++)
        add_word(&order->command, words.items[i]);
}

static int code_of(int status)
{
    return WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The terminal's own signals go to the command's group, which is its foreground; only its end comes to us. */
static int wait_for(pid_t command, const struct identity *identity)
{
    long long kill_at = NEVER;
    int status;

    for (;;) {
        struct arrival arrival = next_signal(kill_at);
        if (!arrival.signal) {
            signal_group(command, SIGKILL, identity);
            return EXIT_SIGNAL + SIGKILL;
        }
        if ((arrival.signal == SIGHUP || arrival.signal == SIGTERM) && kill_at == NEVER) {
            signal_group(command, arrival.signal, identity);
            kill_at = monotonic_now() + GRACE;
        }
        if (arrival.signal == SIGCHLD && waitpid(command, &status, WNOHANG) == command)
            return code_of(status);
    }
}

/* Wait for the worker, and end as it does; a terminal that hangs up tells nobody but us. */
static int stand_before(pid_t worker)
{
    int status;

    for (;;) {
        struct arrival arrival = next_signal(NEVER);
        if (arrival.signal == SIGHUP || arrival.signal == SIGTERM)
            kill(worker, arrival.signal);
        if (arrival.signal == SIGCHLD && waitpid(worker, &status, WNOHANG) == worker)
            return code_of(status);
    }
}

/* The end of the process before us ends us, or comes to us as the terminal's does. */
static void hear_of_the_end_of(pid_t front, int signal)
{
    if (prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) < 0)
        fail(EXIT_SYSTEM, "cannot follow the session to its end: %s", strerror(errno));
    if (getppid() != front)
        raise(signal);
}

static int run_in_terminal(const struct order *order, const struct setting *setting)
{
    restore_terminal();
    write_mark(order->key, 0);
    int code = wait_for(start_command(&order->command, setting), &setting->identity);
    take_terminal();
    write_mark(order->key, code);
    return code;
}

static int work(const char *nonce, bool in_terminal, pid_t front)
{
    static struct typed typed;
    struct order order = {0};
    struct setting setting = {0};

    prepare_beside(&setting);
    make_raw();
    write_mark(nonce, TAKES_KEY);
    read_order(&typed, &order);
    hear_of_the_end_of(front, SIGHUP);
    if (in_terminal)
        return run_in_terminal(&order, &setting);
    return relay(&order.command, &setting, &typed, (struct wire){order.key, order.silence * 1000});
}

/* Whoever opened the session kills the process that it started, without a word, once its client is gone
   (https://github.com/aws/amazon-ssm-agent, agent/session/shell). So that one only stands before the one that works,
   which has time left to end the command properly. */
int exec_command(char **arguments)
{
    const char *kind = arguments[0] ? arguments[0] : "";
    bool in_terminal = strcmp(kind, "tty") == 0;

    if ((!in_terminal && strcmp(kind, "pipe") != 0) || !arguments[1] || arguments[2])
        fail(EXIT_PLAN, "usage: exec pipe NONCE | exec tty NONCE");
    hold_signals();
    keep_to_ourselves();
    pid_t front = getpid();
    pid_t worker = fork();
    if (worker < 0)
        fail(EXIT_SYSTEM, "cannot fork: %s", strerror(errno));
    if (worker > 0)
        return stand_before(worker);
    /* Until there is a command there is nothing to end, and we wait for what is typed. */
    hear_of_the_end_of(front, SIGKILL);
    return work(arguments[1], in_terminal, front);
}
