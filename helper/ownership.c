#include "ownership.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Deeper trees are refused: every level takes a descriptor, of which there are 1024. */
enum { MOST_DEPTH = 500 };

static int give_tree(int folder, gid_t gid, bool read_only, int depth);

/* The mode is that from before the change of owner, which may take bits away. */
static int give_one(int folder, const char *name, const struct stat *before, gid_t gid, bool read_only)
{
    mode_t mode = (before->st_mode & 07777) | (read_only ? 0440 : 0660);

    if (fchownat(folder, name, (uid_t)-1, gid, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    if (S_ISLNK(before->st_mode))
        return 0;
    if (S_ISDIR(before->st_mode))
        mode |= S_ISGID | 0110;
    return fchmodat(folder, name, mode, AT_SYMLINK_NOFOLLOW);
}

static int give_entry(int folder, const char *name, gid_t gid, bool read_only, int depth)
{
    struct stat status;

    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    if (give_one(folder, name, &status, gid, read_only) < 0)
        return -1;
    if (!S_ISDIR(status.st_mode))
        return 0;
    int child = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return child < 0 ? -1 : give_tree(child, gid, read_only, depth + 1);
}

/* Closes the folder. */
static int give_tree(int folder, gid_t gid, bool read_only, int depth)
{
    DIR *entries = depth < MOST_DEPTH ? fdopendir(folder) : NULL;
    int result = 0;

    if (!entries) {
        int reason = depth < MOST_DEPTH ? errno : ELOOP;
        close(folder);
        errno = reason;
        return -1;
    }
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(entries);
        if (!entry) {
            result = errno ? -1 : result;
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        result = give_entry(dirfd(entries), entry->d_name, gid, read_only, depth);
        if (result < 0)
            break;
    }
    int reason = errno;
    closedir(entries);
    errno = reason;
    return result;
}

int give_to_group(int folder, gid_t gid, bool read_only)
{
    struct stat status;
    int copy = fcntl(folder, F_DUPFD_CLOEXEC, 0);

    if (copy < 0)
        return -1;
    if (fstat(folder, &status) < 0 || give_one(folder, ".", &status, gid, read_only) < 0) {
        close(copy);
        return -1;
    }
    return give_tree(copy, gid, read_only, 0);
}
