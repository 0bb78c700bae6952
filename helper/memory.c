#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

static void *checked(void *memory)
{
    if (!memory)
        fail(EXIT_SYSTEM, "out of memory");
    return memory;
}

void *allocate(size_t size)
{
    return checked(calloc(1, size ? size : 1));
}

void *grown(void *array, size_t count, size_t element_size)
{
    return checked(reallocarray(array, count + 1, element_size));
}

char *copied(const char *text)
{
    return checked(strdup(text));
}

char *formatted(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return checked(length < 0 ? NULL : text);
}

void add_word(struct words *words, char *word)
{
    words->items = grown(words->items, words->count + 1, sizeof *words->items);
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
}
