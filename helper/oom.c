#include "oom.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "lines.h"
#include "places.h"

enum { MOST_FILE = 4096 };

/* Both versions of control groups have a line `oom_kill NUMBER`. */
static unsigned long kills_in(const char *name)
{
    char *path = cgroup_file(name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct bytes content;
    unsigned long kills = 0;

    free(path);
    if (file < 0)
        return 0;
    if (read_whole(file, MOST_FILE, &content)) {
        char *rest = (char *)content.data;
        for (char *line; (line = strsep(&rest, "\n"));)
            if (strncmp(line, "oom_kill ", 9) == 0 && !parse_number(line + 9, 1000000000, &kills))
                kills = 0;
        free(content.data);
    }
    close(file);
    return kills;
}

unsigned long oom_kills(void)
{
    return kills_in("memory.events") + kills_in("memory/memory.oom_control");
}
