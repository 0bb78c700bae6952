/* The termination message: a file that the command writes and we read after its end. */
#ifndef SPILLWAY_MESSAGE_H
#define SPILLWAY_MESSAGE_H

#include "memory.h"

/* Make the file empty and writable by everybody. The result is what went wrong, static text, NULL where nothing did.
   It is for the record alone: most commands write no message, and their log is not ours. */
const char *prepare_message(const char *path);

/* The last `most` bytes of the file, as a kubelet reads it; none where there is no plain file. The caller frees
   them. */
struct bytes read_message(const char *path, size_t most);

#endif
