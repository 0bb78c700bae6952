/* Instructions: lines of an environment variable, cut into fields, every field read strictly or the program ends. */
#ifndef SPILLWAY_LINES_H
#define SPILLWAY_LINES_H

#include <stdbool.h>
#include <sys/types.h>

#include "memory.h"

struct line {
    const char *variable;
    unsigned number;
    struct words fields;
};

enum { ANY_NUMBER = 1 << 20 };

/* The largest user or group number; the one above means "none" to the system. */
#define MOST_ACCOUNT 4294967294UL

/* An instruction's name, how many fields follow it (`most` is ANY_NUMBER for no bound), and what takes them. */
struct instruction {
    const char *name;
    size_t least;
    size_t most;
    void (*take)(const struct line *line, void *into);
};

/* Hand each line of the variable to its instruction; a variable that is not set has no lines. */
void take_lines(const char *variable, const struct instruction *known, size_t count, void *into);

/* End the program because of this line. The message must not quote base64: it may be a secret. */
_Noreturn void reject(const struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The fields after the instruction's name are counted from 1. */
const char *field(const struct line *line, size_t index);
bool is_absent(const struct line *line, size_t index);
unsigned long number_field(const struct line *line, size_t index, const char *what, unsigned long most);
mode_t mode_field(const struct line *line, size_t index);
struct bytes bytes_field(const struct line *line, size_t index, const char *what);

/* Base64 of text without a NUL. */
char *text_field(const struct line *line, size_t index, const char *what);

/* Base64 of an absolute path without `..`. */
char *path_field(const struct line *line, size_t index, const char *what);

/* A comma-separated list; none of its items is empty. `-` is the empty list. */
struct words list_field(const struct line *line, size_t index, const char *what);

/* The name of an environment variable. */
char *variable_field(const struct line *line, size_t index);

/* What the other readers are made of. */
bool parse_number(const char *text, unsigned long most, unsigned long *number);
struct bytes decoded_text(const struct line *line, const char *text, const char *what);

#endif
