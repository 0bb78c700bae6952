#include "lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "fail.h"
#include "files.h"

/* No account, size or time that we handle is larger; also keeps every sum in range. */
enum { MOST_DIGITS = 10 };

void reject(const struct line *line, const char *format, ...)
{
    char problem[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(problem, sizeof problem, format, arguments);
    va_end(arguments);
    fail(EXIT_PLAN, "%s, line %u (%.32s): %s", line->variable, line->number, field(line, 0), problem);
}

const char *field(const struct line *line, size_t index)
{
    return line->fields.items[index];
}

bool is_absent(const struct line *line, size_t index)
{
    return strcmp(field(line, index), "-") == 0;
}

bool parse_number(const char *text, unsigned long most, unsigned long *number)
{
    unsigned long long value = 0;
    size_t length = strlen(text);

    if (length == 0 || length > MOST_DIGITS || strspn(text, "0123456789") != length)
        return false;
    if (length > 1 && text[0] == '0')
        return false;
    for (size_t i = 0; i < length; i++)
        value = value * 10 + (unsigned)(text[i] - '0');
    *number = (unsigned long)value;
    return value <= most;
}

unsigned long number_field(const struct line *line, size_t index, const char *what, unsigned long most)
{
    unsigned long number;

    if (!parse_number(field(line, index), most, &number))
        reject(line, "%s is not a number from 0 to %lu", what, most);
    return number;
}

mode_t mode_field(const struct line *line, size_t index)
{
    const char *text = field(line, index);
    size_t length = strlen(text);
    mode_t mode = 0;

    if (length == 0 || length > 5 || strspn(text, "01234567") != length)
        reject(line, "MODE is not an octal number");
    for (size_t i = 0; i < length; i++)
        mode = mode * 8 + (mode_t)(text[i] - '0');
    if (mode > 07777)
        reject(line, "MODE is above 7777");
    return mode;
}

struct bytes decoded_text(const struct line *line, const char *text, const char *what)
{
    struct bytes decoded;

    if (strcmp(text, "-") == 0)
        text = "";
    if (!base64_decode(text, &decoded))
        reject(line, "%s is not base64", what);
    return decoded;
}

struct bytes bytes_field(const struct line *line, size_t index, const char *what)
{
    return decoded_text(line, field(line, index), what);
}

char *text_field(const struct line *line, size_t index, const char *what)
{
    struct bytes decoded = bytes_field(line, index, what);

    if (strlen((char *)decoded.data) != decoded.size)
        reject(line, "%s holds a NUL", what);
    return (char *)decoded.data;
}

char *path_field(const struct line *line, size_t index, const char *what)
{
    char *path = text_field(line, index, what);

    if (path[0] != '/' || !stays_inside(path + 1))
        reject(line, "%s is not an absolute path without '.', '..' and '//'", what);
    return path;
}

/* Cut the text, which is changed, at every separator. */
static struct words cut(char *text, char separator)
{
    struct words items = {0};

    for (char *end; (end = strchr(text, separator)); text = end + 1) {
        *end = '\0';
        add_word(&items, text);
    }
    add_word(&items, text);
    return items;
}

struct words list_field(const struct line *line, size_t index, const char *what)
{
    if (is_absent(line, index))
        return (struct words){0};
    struct words items = cut(copied(field(line, index)), ',');
    for (size_t i = 0; i < items.count; i++)
        if (!*items.items[i])
            reject(line, "%s has an empty item", what);
    return items;
}

char *variable_field(const struct line *line, size_t index)
{
    if (strchr(field(line, index), '=') || is_absent(line, index))
        reject(line, "VAR is not the name of a variable");
    return copied(field(line, index));
}

static void take_line(const struct line *line, const struct instruction *known, size_t count, void *into)
{
    for (size_t i = 0; i < line->fields.count; i++)
        if (!*field(line, i))
            reject(line, "there is an empty field");
    for (size_t i = 0; i < count; i++) {
        if (strcmp(known[i].name, field(line, 0)) != 0)
            continue;
        size_t fields = line->fields.count - 1;
        if (fields < known[i].least || fields > known[i].most)
            reject(line, "it has %zu fields", fields);
        known[i].take(line, into);
        return;
    }
    reject(line, "there is no such instruction");
}

void take_lines(const char *variable, const struct instruction *known, size_t count, void *into)
{
    const char *value = getenv(variable);

    if (!value || !*value)
        return;
    char *text = copied(value);
    size_t length = strlen(text);
    if (text[length - 1] == '\n')
        text[length - 1] = '\0';
    struct words lines = cut(text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        struct line line = {variable, (unsigned)i + 1, cut(lines.items[i], ' ')};
        take_line(&line, known, count, into);
        free(line.fields.items);
    }
    free(lines.items);
    free(text);
}
