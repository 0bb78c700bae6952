#include "keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "files.h"
#include "metadata.h"
#include "places.h"
#include "records.h"
#include "signals.h"
#include "usage.h"

/* Looks at the records in a second; milliseconds that the endpoint may take. */
enum { LOOKS = 5, ASK_TIMEOUT = 2000 };

/* A task has far fewer containers, and the longest record of ours is far shorter: what is beyond is not ours. */
enum { MOST_FILES = 256, MOST_LINE = 1 << 17 };

struct tail {
    char *name;
    off_t offset; /* up to which it is printed */
};

struct keeper {
    char **names;
    bool *done;
    struct tail *tails;
    size_t tail_count;
    char *folder;
    char *buffer;
    const char *problem; /* of the metadata endpoint, the last that was told */
    struct usage_teller usage;
};

static struct tail *tail_of(struct keeper *keeper, const char *name)
{
    for (size_t i = 0; i < keeper->tail_count; i++)
        if (strcmp(keeper->tails[i].name, name) == 0)
            return &keeper->tails[i];
    if (keeper->tail_count == MOST_FILES)
        return NULL;
    keeper->tails = grown(keeper->tails, keeper->tail_count, sizeof *keeper->tails);
    keeper->tails[keeper->tail_count] = (struct tail){copied(name), 0};
    return &keeper->tails[keeper->tail_count++];
}

static void mark_done(struct keeper *keeper, const char *name)
{
    for (size_t i = 0; keeper->names[i]; i++)
        if (strcmp(keeper->names[i], name) == 0)
            keeper->done[i] = true;
}

/* What a container uses is for us alone to tell: it could write anything, with a record of usage where the log driver
   cuts long lines. No record of ours has one in it. */
static void print_line(struct keeper *keeper, const char *name, const char *line, size_t size)
{
    if (!has_usage_record(line, size) && write_all(STDOUT_FILENO, line, size) < 0)
        fail(EXIT_SYSTEM, "cannot print: %s", strerror(errno));
    if (is_done_record(line, size, name))
        mark_done(keeper, name);
}

static void print_lines(struct keeper *keeper, const char *name, size_t size)
{
    const char *line = keeper->buffer;
    const char *end = line + size;

    while (line < end) {
        const char *after = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1;
        print_line(keeper, name, line, (size_t)(after - line));
        line = after;
    }
}

/* Print the whole lines from the offset on. A line that fills the buffer is no record: what is read of it goes. */
static void print_rest(struct keeper *keeper, struct tail *tail, int file)
{
    for (;;) {
        ssize_t got = pread(file, keeper->buffer, MOST_LINE, tail->offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        const char *last = memrchr(keeper->buffer, '\n', (size_t)got);
        if (!last && got < MOST_LINE)
            return;
        size_t whole = last ? (size_t)(last + 1 - keeper->buffer) : 0;
        print_lines(keeper, tail->name, whole);
        tail->offset += last ? (off_t)whole : (off_t)got;
    }
}

/* Containers can write the folder: what is not a plain file in it, or not called as a container, is not ours. */
static void print_file(struct keeper *keeper, int folder, const char *name)
{
    struct stat status;
    struct tail *tail = is_container_name(name) ? tail_of(keeper, name) : NULL;
    int file = tail ? openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;

    if (file < 0)
        return;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > tail->offset)
        print_rest(keeper, tail, file);
    close(file);
}

static void print_new(struct keeper *keeper)
{
    DIR *entries = opendir(keeper->folder);

    if (!entries)
        fail(EXIT_SYSTEM, "cannot open %s: %s", keeper->folder, strerror(errno));
    for (struct dirent *entry; (entry = readdir(entries));)
        print_file(keeper, dirfd(entries), entry->d_name);
    closedir(entries);
}

/* Mark those that ECS says have stopped. A look that fails is made again: the next may not. */
static void ask_ecs(struct keeper *keeper)
{
    struct task_look look;
    const char *problem = "";

    if (look_at_task(ASK_TIMEOUT, &look, &problem)) {
        for (size_t i = 0; keeper->names[i]; i++)
            keeper->done[i] |= has_stopped(&look, keeper->names[i]);
        free(look.text.data);
        problem = "";
    }
    if (*problem && strcmp(problem, keeper->problem) != 0)
        complain("the task metadata endpoint: %s", problem);
    keeper->problem = problem;
}

static bool all_done(const struct keeper *keeper)
{
    for (size_t i = 0; keeper->names[i]; i++)
        if (!keeper->done[i])
            return false;
    return keeper->names[0];
}

static void start_keeper(struct keeper *keeper, char **names)
{
    size_t count = 0;

    for (; names[count]; count++)
        if (!is_container_name(names[count]))
            fail(EXIT_PLAN, "usage: keep [NAME...]");
    *keeper = (struct keeper){.names = names,
                              .done = allocate(count * sizeof(bool)),
                              .folder = records_folder(),
                              .buffer = allocate(MOST_LINE),
                              .problem = ""};
    start_usage(&keeper->usage);
}

/* Wait until the next look; true where we are asked to end. */
static bool asked_to_end(void)
{
    long long next = monotonic_now() + second() / LOOKS;

    for (;;) {
        int signal = next_signal(next).signal;
        if (signal == 0 || signal == SIGTERM || signal == SIGINT)
            return signal != 0;
    }
}

int keep(char **names)
{
    struct keeper keeper;
    long long ask_at = monotonic_now();

    hold_signals();
    start_keeper(&keeper, names);
    do {
        /* Asked before the last look, so that what a stopped container wrote is printed. */
        if (names[0] && monotonic_now() >= ask_at) {
            ask_ecs(&keeper);
            ask_at = monotonic_now() + second();
        }
        print_new(&keeper);
        follow_usage(&keeper.usage);
    } while (!all_done(&keeper) && !asked_to_end());
    stop_usage(&keeper.usage);
    print_new(&keeper);
    return 0;
}
