/* `place`: files and folders copied into the container's own file system. */
#ifndef SPILLWAY_PLACE_H
#define SPILLWAY_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

struct placement {
    char *source;
    char *target;
    bool keeps_mode;
    mode_t mode; /* of files; folders have their source's */
};

/* Ends the program where not all of it could be copied. */
void place(const struct placement *placement);

#endif
