#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "files.h"

enum { MOST_DEPTH = 64 };

struct copying {
    const struct placement *placement;
    int depth;
};

static int copy_entry(struct copying *copying, int from, const char *source, int to, const char *target);

/* Owners are kept where we may give files away. */
static struct owner owner_of(const struct placement *placement, const struct stat *status)
{
    bool gives = geteuid() == 0;
    mode_t mode = placement->keeps_mode || S_ISDIR(status->st_mode) ? status->st_mode & 07777 : placement->mode;

    return (struct owner){mode, gives ? status->st_uid : (uid_t)-1, gives ? status->st_gid : (gid_t)-1};
}

static int copy_link(int from, const char *source, int to, const char *target)
{
    char text[PATH_MAX];
    ssize_t length = readlinkat(from, source, text, sizeof text - 1);

    if (length < 0)
        return -1;
    text[length] = '\0';
    if (unlinkat(to, target, 0) < 0 && errno != ENOENT)
        return -1;
    return symlinkat(text, to, target);
}

static int copy_one_file(struct copying *copying, int from, const char *source, int to, const char *target)
{
    struct stat status;
    int file = openat(from, source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (file < 0)
        return -1;
    int result = fstat(file, &status);
    if (result == 0)
        result = copy_file(file, to, target, owner_of(copying->placement, &status));
    int reason = errno;
    close(file);
    errno = reason;
    return result;
}

static int copy_entries(struct copying *copying, DIR *entries, int to)
{
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(entries);
        if (!entry)
            return errno ? -1 : 0;
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (copy_entry(copying, dirfd(entries), name, to, name) < 0)
            return -1;
    }
}

static int open_subfolder(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int copy_folder(struct copying *copying, int from, const char *source, int to, const char *target)
{
    struct stat status;
    int source_folder = open_subfolder(from, source);
    DIR *entries = source_folder < 0 ? NULL : fdopendir(source_folder);

    if (!entries)
        return -1;
    bool made = mkdirat(to, target, 0700) == 0;
    int folder = made || errno == EEXIST ? open_subfolder(to, target) : -1;
    int result = folder < 0 ? -1 : fstat(source_folder, &status);
    if (result == 0)
        result = copy_entries(copying, entries, folder);
    struct owner owner = result == 0 ? owner_of(copying->placement, &status) : (struct owner){0};
    if (result == 0 && made)
        result = fchown(folder, owner.uid, owner.gid) < 0 ? -1 : fchmod(folder, owner.mode);
    int reason = errno;
    if (folder >= 0)
        close(folder);
    closedir(entries);
    errno = reason;
    return result;
}

static int copy_entry(struct copying *copying, int from, const char *source, int to, const char *target)
{
    struct stat status;

    if (fstatat(from, source, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    if (S_ISLNK(status.st_mode))
        return copy_link(from, source, to, target);
    if (S_ISREG(status.st_mode))
        return copy_one_file(copying, from, source, to, target);
    if (!S_ISDIR(status.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    if (copying->depth == MOST_DEPTH) {
        errno = ELOOP;
        return -1;
    }
    copying->depth++;
    int result = copy_folder(copying, from, source, to, target);
    copying->depth--;
    return result;
}

void place(const struct placement *placement)
{
    const char *name;
    int folder = open_parent(placement->target, &name);
    struct copying copying = {placement, 0};

    if (folder < 0 || copy_entry(&copying, AT_FDCWD, placement->source, folder, name) < 0)
        fail(EXIT_SYSTEM, "cannot copy %s to %s: %s", placement->source, placement->target, strerror(errno));
    close(folder);
}
