#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

static int make_empty(int folder, const char *name)
{
    int file = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);

    if (file < 0)
        return -1;
    /* A mode that we may not change is that of a file somebody else put there. */
    int result = fchmod(file, 0666) < 0 && errno != EPERM ? -1 : 0;
    close(file);
    return result;
}

const char *prepare_message(const char *path)
{
    const char *name;
    int folder = open_parent(path, &name);

    if (folder < 0)
        return strerror(errno);
    const char *problem = make_empty(folder, name) < 0 ? strerror(errno) : NULL;
    close(folder);
    return problem;
}

static struct bytes read_end(int file, size_t most)
{
    struct stat status;
    struct bytes message = {allocate(most + 1), 0};

    if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode))
        return message;
    off_t offset = status.st_size > (off_t)most ? status.st_size - (off_t)most : 0;
    while (message.size < most) {
        ssize_t got = pread(file, message.data + message.size, most - message.size, offset + (off_t)message.size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        message.size += (size_t)got;
    }
    return message;
}

struct bytes read_message(const char *path, size_t most)
{
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (file < 0)
        return (struct bytes){0};
    struct bytes message = read_end(file, most);
    close(file);
    return message;
}
