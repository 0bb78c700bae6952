/* Memory and text: every function here gives a usable result or ends the program. */
#ifndef SPILLWAY_MEMORY_H
#define SPILLWAY_MEMORY_H

#include <stddef.h>

/* Some bytes, followed by a NUL that is not counted. */
struct bytes {
    unsigned char *data;
    size_t size;
};

void *allocate(size_t size);

/* The array with room for one element more than `count`. */
void *grown(void *array, size_t count, size_t element_size);

char *copied(const char *text);

char *formatted(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A NULL-terminated list of words. */
struct words {
    char **items;
    size_t count;
};

void add_word(struct words *words, char *word);

#endif
