#include "signals.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "fail.h"

static sigset_t original;

/* Really every one: the C libraries' sigfillset leaves out those that they use between threads, of which we have but
   one. The command may use them. */
static sigset_t every_signal(void)
{
    sigset_t every;

    memset(&every, 0xff, sizeof every);
    return every;
}

void hold_signals(void)
{
    sigset_t every = every_signal();
    struct sigaction usual = {.sa_handler = SIG_DFL};

    /* Whoever started us may have ignored SIGCHLD, and then no child's end is told. */
    if (sigprocmask(SIG_SETMASK, &every, &original) < 0 || sigaction(SIGCHLD, &usual, NULL) < 0)
        fail(EXIT_SYSTEM, "cannot hold signals: %s", strerror(errno));
}

void restore_signals(void)
{
    sigprocmask(SIG_SETMASK, &original, NULL);
}

struct arrival next_signal(long long moment)
{
    sigset_t every = every_signal();
    siginfo_t information;

    for (;;) {
        long long left = moment == NEVER ? 0 : moment - monotonic_now();
        struct timespec wait = {0};
        if (left > 0)
            wait = (struct timespec){(time_t)(left / 1000), (long)(left % 1000) * 1000000};
        int signal = moment == NEVER ? sigwaitinfo(&every, &information) : sigtimedwait(&every, &information, &wait);
        /* The kernel has no number for a sender whom our PID namespace does not show. */
        if (signal > 0)
            return (struct arrival){signal, information.si_code == SI_USER && information.si_pid == 0};
        if (errno == EAGAIN)
            return (struct arrival){0};
        if (errno != EINTR)
            fail(EXIT_SYSTEM, "cannot wait for signals: %s", strerror(errno));
    }
}
