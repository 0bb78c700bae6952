/* What is typed into an exec session: lines of base64, ended by a carriage return or a newline. */
#ifndef SPILLWAY_TYPED_H
#define SPILLWAY_TYPED_H

#include <stdbool.h>

#include "memory.h"

/* More than the far side types ahead. */
enum { MOST_TYPED = 1 << 16 };

struct typed {
    char text[MOST_TYPED];
    size_t used;
};

enum typed_kind { NOTHING_TYPED, DATA_TYPED, END_TYPED };

/* Read what is there, once. False where the terminal is gone. */
bool read_typed(struct typed *typed);

/* Take the next whole line, base64 into `*data`, which the caller frees; "." is the end. Empty lines, and "-", which
   keeps a session awake, say nothing. Ends the program where a line is none of these. */
enum typed_kind take_typed(struct typed *typed, struct bytes *data);

/* All that is typed up to the end. Ends the program where the terminal is gone before. */
struct bytes read_document(struct typed *typed);

#endif
