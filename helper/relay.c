#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base64.h"
#include "clock.h"
#include "fail.h"
#include "signals.h"

/* As much as a pipe holds is read at once; while twice of that waits for the terminal, nothing is. */
enum { MOST_READ = 3 << 14, MOST_WAITING = 2 * MOST_READ };

/* What a command gets for its end once the terminal is gone, in milliseconds. */
enum { GRACE = 2000 };

enum { CLOSED = -1 };

struct relay {
    const struct setting *setting;
    struct typed *typed;
    struct wire wire;
    struct bytes out; /* for the terminal */
    size_t shown;     /* of `out` */
    struct bytes in;  /* for the command; NULL where nothing waits */
    size_t taken;     /* of `in` */
    int files[3];     /* our ends of the command's stdin, stdout, stderr */
    int signals;
    pid_t command; /* 0 once it has ended */
    int code;
    bool typing_ended;
    bool is_gone; /* the terminal */
    long long kill_at;
    long long forsaken_at; /* where nothing is typed until then */
};

static void append(struct relay *relay, const char *text, size_t length)
{
    relay->out.data = realloc(relay->out.data, relay->out.size + length);
    if (!relay->out.data)
        fail(EXIT_SYSTEM, "out of memory");
    memcpy(relay->out.data + relay->out.size, text, length);
    relay->out.size += length;
}

static void show(struct relay *relay, char kind, const char *text)
{
    if (relay->shown > 0) {
        relay->out.size -= relay->shown;
        memmove(relay->out.data, relay->out.data + relay->shown, relay->out.size);
        relay->shown = 0;
    }
    append(relay, &kind, 1);
    append(relay, relay->wire.key, strlen(relay->wire.key));
    append(relay, text, strlen(text));
    append(relay, "\n", 1);
}

static size_t waiting(const struct relay *relay)
{
    return relay->out.size - relay->shown;
}

static void close_file(struct relay *relay, int stream)
{
    if (relay->files[stream] != CLOSED)
        close(relay->files[stream]);
    relay->files[stream] = CLOSED;
}

static void forget_input(struct relay *relay)
{
    free(relay->in.data);
    relay->in = (struct bytes){0};
    relay->taken = 0;
    show(relay, '^', "");
}

/* Hand on what was typed, one line after the other: the next is looked at once the command has taken the last. */
static void take_input(struct relay *relay)
{
    while (!relay->in.data && !relay->typing_ended) {
        enum typed_kind kind = take_typed(relay->typed, &relay->in);
        if (kind == NOTHING_TYPED)
            return;
        if (kind == END_TYPED) {
            relay->typing_ended = true;
            close_file(relay, STDIN_FILENO);
        } else if (relay->files[STDIN_FILENO] == CLOSED)
            forget_input(relay);
    }
}

static void feed_command(struct relay *relay)
{
    ssize_t size = write(relay->files[STDIN_FILENO], relay->in.data + relay->taken, relay->in.size - relay->taken);

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size < 0)
        close_file(relay, STDIN_FILENO);
    else
        relay->taken += (size_t)size;
    if (size < 0 || relay->taken == relay->in.size)
        forget_input(relay);
}

static void read_command(struct relay *relay, int stream)
{
    unsigned char data[MOST_READ];
    ssize_t size = read(relay->files[stream], data, sizeof data);

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        close_file(relay, stream);
        return;
    }
    char *text = base64_encode(data, (size_t)size);
    show(relay, stream == STDOUT_FILENO ? ':' : '!', text);
    free(text);
}

static void feed_terminal(struct relay *relay)
{
    ssize_t size = write(STDOUT_FILENO, relay->out.data + relay->shown, waiting(relay));

    if (size > 0)
        relay->shown += (size_t)size;
    else if (errno != EAGAIN && errno != EINTR)
        relay->is_gone = true;
}

/* Once: of one end we may hear by the terminal, by the kernel and by the process before us. */
static void end_command(struct relay *relay, int signal)
{
    if (relay->kill_at != NEVER)
        return;
    if (relay->command)
        signal_group(relay->command, signal, &relay->setting->identity);
    relay->kill_at = monotonic_now() + GRACE;
}

static void take_end(struct relay *relay)
{
    int status;

    if (!relay->command || waitpid(relay->command, &status, WNOHANG) != relay->command)
        return;
    relay->command = 0;
    relay->code = WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
    char *code = formatted("%d", relay->code);
    show(relay, '.', code);
    free(code);
}

static void take_signals(struct relay *relay)
{
    struct signalfd_siginfo arrival;

    while (read(relay->signals, &arrival, sizeof arrival) == sizeof arrival) {
        if (arrival.ssi_signo == SIGCHLD)
            take_end(relay);
        else if (arrival.ssi_signo == SIGHUP || arrival.ssi_signo == SIGTERM)
            end_command(relay, (int)arrival.ssi_signo);
    }
}

static void hear(struct relay *relay)
{
    if (!read_typed(relay->typed))
        relay->is_gone = true;
    relay->forsaken_at = monotonic_now() + relay->wire.silence;
}

static int time_left(const struct relay *relay)
{
    long long next = relay->kill_at < relay->forsaken_at ? relay->kill_at : relay->forsaken_at;
    long long left = next - monotonic_now();

    return left > 0 ? (int)left : 0;
}

static void wait_and_work(struct relay *relay)
{
    take_input(relay);
    bool may_read = waiting(relay) < MOST_WAITING;
    struct pollfd polled[] = {
        {relay->signals, POLLIN, 0},
        {STDIN_FILENO, POLLIN, 0},
        {waiting(relay) ? STDOUT_FILENO : CLOSED, POLLOUT, 0},
        {relay->in.data ? relay->files[STDIN_FILENO] : CLOSED, POLLOUT, 0},
        {may_read ? relay->files[STDOUT_FILENO] : CLOSED, POLLIN, 0},
        {may_read ? relay->files[STDERR_FILENO] : CLOSED, POLLIN, 0},
    };

    if (poll(polled, sizeof polled / sizeof *polled, time_left(relay)) < 0)
        return;
    if (polled[0].revents)
        take_signals(relay);
    if (polled[1].revents)
        hear(relay);
    if (polled[2].revents)
        feed_terminal(relay);
    if (polled[3].revents && relay->in.data)
        feed_command(relay);
    if (polled[4].revents)
        read_command(relay, STDOUT_FILENO);
    if (polled[5].revents)
        read_command(relay, STDERR_FILENO);
}

/* Whether to go on: somebody may still be there, and whoever asked us to end has not waited for too long. */
static bool goes_on(const struct relay *relay)
{
    long long now = monotonic_now();

    return !relay->is_gone && now < relay->kill_at && now < relay->forsaken_at;
}

static bool is_open(const struct relay *relay)
{
    return relay->command || relay->files[STDOUT_FILENO] != CLOSED || relay->files[STDERR_FILENO] != CLOSED;
}

/* Whoever reads slowly must not stop what goes the other way. */
static void never_block(int file)
{
    int flags = fcntl(file, F_GETFL);

    if (flags < 0 || fcntl(file, F_SETFL, flags | O_NONBLOCK) < 0)
        fail(EXIT_SYSTEM, "cannot read and write at once: %s", strerror(errno));
}

static void start(struct relay *relay, const struct words *command)
{
    int pipes[3][2];
    int theirs[3];

    for (int stream = 0; stream < 3; stream++) {
        int ours = stream == STDIN_FILENO ? 1 : 0;
        if (pipe2(pipes[stream], O_CLOEXEC) < 0)
            fail(EXIT_SYSTEM, "cannot make a pipe: %s", strerror(errno));
        relay->files[stream] = pipes[stream][ours];
        theirs[stream] = pipes[stream][1 - ours];
        never_block(relay->files[stream]);
    }
    relay->command = start_piped(command, relay->setting, theirs);
    for (int stream = 0; stream < 3; stream++)
        close(theirs[stream]);
}

/* The command gets a hang-up as it would from a terminal, then a moment, and is killed with its group. */
static int hang_up(struct relay *relay)
{
    end_command(relay, SIGHUP);
    while (relay->command && monotonic_now() < relay->kill_at) {
        struct pollfd polled = {relay->signals, POLLIN, 0};
        poll(&polled, 1, (int)(relay->kill_at - monotonic_now()));
        take_signals(relay);
    }
    if (!relay->command)
        return relay->code;
    signal_group(relay->command, SIGKILL, &relay->setting->identity);
    return EXIT_SIGNAL + SIGKILL;
}

int relay(const struct words *command, const struct setting *setting, struct typed *typed, struct wire wire)
{
    struct relay relay = {.setting = setting,
                          .typed = typed,
                          .wire = wire,
                          .kill_at = NEVER,
                          .forsaken_at = monotonic_now() + wire.silence};
    sigset_t every;

    memset(&every, 0xff, sizeof every);
    relay.signals = signalfd(-1, &every, SFD_NONBLOCK | SFD_CLOEXEC);
    if (relay.signals < 0)
        fail(EXIT_SYSTEM, "cannot wait for signals: %s", strerror(errno));
    start(&relay, command);
    never_block(STDIN_FILENO);
    never_block(STDOUT_FILENO);
    while (is_open(&relay) && goes_on(&relay))
        wait_and_work(&relay);
    show(&relay, '$', "");
    while (waiting(&relay) && goes_on(&relay))
        wait_and_work(&relay);
    return is_open(&relay) ? hang_up(&relay) : relay.code;
}
