#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"

/* The name under which a file is written before it is renamed. */
static const char PARTIAL[] = ".spillway-partial";

bool stays_inside(const char *path)
{
    for (;;) {
        size_t length = strcspn(path, "/");
        if (length == 0 || (length == 1 && path[0] == '.') || (length == 2 && strncmp(path, "..", 2) == 0))
            return false;
        if (!path[length])
            return true;
        path += length + 1;
    }
}

int open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The umask of the image must not decide who can enter a folder of ours. */
static int make_and_open(int parent, const char *name)
{
    bool made = mkdirat(parent, name, 0755) == 0;

    if (!made && errno != EEXIST)
        return -1;
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder >= 0 && made && fchmod(folder, 0755) < 0) {
        close(folder);
        return -1;
    }
    return folder;
}

int open_parent_inside(int root, const char *path, const char **name)
{
    char *rest = copied(path);
    char *step = rest;
    int folder = fcntl(root, F_DUPFD_CLOEXEC, 0);

    for (char *end; folder >= 0 && (end = strchr(step, '/')); step = end + 1) {
        *end = '\0';
        int next = make_and_open(folder, step);
        close(folder);
        folder = next;
    }
    if (folder < 0)
        fail(EXIT_SYSTEM, "cannot make the folder of %s: %s", path, strerror(errno));
    *name = path + (step - rest);
    free(rest);
    return folder;
}

static int make_one_folder(const char *path)
{
    if (mkdir(path, 0755) == 0)
        return chmod(path, 0755);
    return errno == EEXIST ? 0 : access(path, F_OK);
}

int make_folders(const char *path)
{
    char *step = copied(path);
    char *slash = step;
    int result;

    do {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        result = make_one_folder(step);
        if (slash)
            *slash = '/';
    } while (slash && result == 0);
    free(step);
    return result;
}

int open_parent(const char *path, const char **name)
{
    char *parent = copied(path);
    char *slash = strrchr(parent, '/');

    *name = path + (slash - parent) + 1;
    *slash = '\0';
    int folder = *parent && make_folders(parent) < 0 ? -1 : open_folder(*parent ? parent : "/");
    free(parent);
    return folder;
}

int write_all(int file, const void *data, size_t size)
{
    const char *rest = data;

    while (size > 0) {
        ssize_t written = write(file, rest, size);
        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            rest += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

bool read_whole(int file, size_t most, struct bytes *content)
{
    struct bytes read_so_far = {allocate(most + 2), 0};

    while (read_so_far.size <= most) {
        ssize_t got = read(file, read_so_far.data + read_so_far.size, most + 1 - read_so_far.size);
        if (got == 0) {
            *content = read_so_far;
            return true;
        }
        if (got < 0 && errno != EINTR)
            break;
        if (got > 0)
            read_so_far.size += (size_t)got;
    }
    if (read_so_far.size > most)
        errno = EFBIG;
    free(read_so_far.data);
    return false;
}

static int copy_all(int from, int to)
{
    char buffer[16384];

    for (;;) {
        ssize_t got = read(from, buffer, sizeof buffer);
        if (got == 0)
            return 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || write_all(to, buffer, (size_t)got) < 0)
            return -1;
    }
}

static int open_partial(int folder)
{
    if (unlinkat(folder, PARTIAL, 0) < 0 && errno != ENOENT)
        return -1;
    return openat(folder, PARTIAL, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* Owner before mode: a change of owner takes setuid bits away. */
static int own(int file, struct owner owner)
{
    if (fchown(file, owner.uid, owner.gid) < 0)
        return -1;
    return fchmod(file, owner.mode);
}

static int give_up(int folder, int file)
{
    int reason = errno;

    close(file);
    unlinkat(folder, PARTIAL, 0);
    errno = reason;
    return -1;
}

static int put_in_place(int folder, int file, const char *name, struct owner owner)
{
    if (own(file, owner) < 0 || renameat(folder, PARTIAL, folder, name) < 0)
        return give_up(folder, file);
    return close(file);
}

int write_file(int folder, const char *name, struct bytes content, struct owner owner)
{
    int file = open_partial(folder);

    if (file < 0)
        return -1;
    if (write_all(file, content.data, content.size) < 0)
        return give_up(folder, file);
    return put_in_place(folder, file, name, owner);
}

static int overwrite(int from, int folder, const char *name, struct owner owner)
{
    int file = openat(folder, name, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);

    if (file < 0)
        return -1;
    if (lseek(from, 0, SEEK_SET) < 0 || copy_all(from, file) < 0 || own(file, owner) < 0) {
        close(file);
        return -1;
    }
    return close(file);
}

int copy_file(int from, int folder, const char *name, struct owner owner)
{
    int file = open_partial(folder);

    if (file < 0)
        return -1;
    if (copy_all(from, file) < 0)
        return give_up(folder, file);
    if (put_in_place(folder, file, name, owner) == 0)
        return 0;
    return errno == EBUSY ? overwrite(from, folder, name, owner) : -1;
}
