#include "exec.h"

#include <stdlib.h>
#include <string.h>
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

/* Words, each followed by a NUL. */
static void read_words(struct typed *typed, struct words *command)
{
    struct bytes document = read_document(typed);

    if (document.size == 0 || document.data[document.size - 1] != '\0')
        fail(EXIT_PLAN, "no command was typed");
    for (size_t at = 0; at < document.size; at += strlen((char *)document.data + at) + 1)
        add_word(command, copied((char *)document.data + at));
    free(document.data);
}

/* The terminal's own signals go to the command's group, which is its foreground; only its end comes to us. */
static int wait_for(pid_t command, const struct identity *identity)
{
    long long kill_at = NEVER;
    int status;

    for (;;) {
        struct arrival arrival = next_signal(kill_at);
        if (!arrival.signal)
            return EXIT_SIGNAL + SIGKILL;
        if (arrival.signal == SIGHUP || arrival.signal == SIGTERM) {
            signal_group(command, arrival.signal, identity);
            kill_at = monotonic_now() + GRACE;
        }
        if (arrival.signal == SIGCHLD && waitpid(command, &status, WNOHANG) == command)
            return WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
    }
}

static int run_in_terminal(const struct words *command, const struct setting *setting, const char *nonce)
{
    restore_terminal();
    write_mark(nonce, 0);
    int code = wait_for(start_command(command, setting), &setting->identity);
    take_terminal();
    write_mark(nonce, code);
    return code;
}

int exec_command(char **arguments)
{
    static struct typed typed;
    struct words command = {0};
    struct setting setting = {0};
    const char *kind = arguments[0] ? arguments[0] : "";
    bool in_terminal = strcmp(kind, "tty") == 0;

    if ((!in_terminal && strcmp(kind, "pipe") != 0) || !arguments[1] || arguments[2])
        fail(EXIT_PLAN, "usage: exec pipe NONCE | exec tty NONCE");
    hold_signals();
    prepare_beside(&setting);
    make_raw();
    write_mark(arguments[1], 0);
    read_words(&typed, &command);
    if (in_terminal)
        return run_in_terminal(&command, &setting, arguments[1]);
    return relay(&command, &setting, &typed);
}
