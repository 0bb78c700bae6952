#include "json.h"

#include <stdint.h>
#include <string.h>

/* A member's name may be the 64 digits of a container. Any number of 18 digits fits 64 bits. */
enum { MOST_DEPTH = 32, MOST_KEY = 128, MOST_DIGITS = 18 };

/* Every reader moves `*at` past what it read and says whether it could. `end` is the end of all text. */

static void skip_space(const char **at, const char *end)
{
    while (*at < end && strchr(" \t\r\n", **at) && **at)
        ++*at;
}

static bool skip_literal(const char **at, const char *end, const char *literal)
{
    size_t length = strlen(literal);

    if ((size_t)(end - *at) < length || memcmp(*at, literal, length) != 0)
        return false;
    *at += length;
    return true;
}

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static bool skip_digits(const char **at, const char *end)
{
    const char *start = *at;

    while (*at < end && is_digit(**at))
        ++*at;
    return *at > start;
}

static bool skip_number(const char **at, const char *end)
{
    if (*at < end && **at == '-')
        ++*at;
    const char *start = *at;
    if (!skip_digits(at, end) || (*start == '0' && *at - start > 1))
        return false;
    if (*at < end && **at == '.') {
        ++*at;
        if (!skip_digits(at, end))
            return false;
    }
    if (*at < end && (**at == 'e' || **at == 'E')) {
        ++*at;
        if (*at < end && (**at == '+' || **at == '-'))
            ++*at;
        return skip_digits(at, end);
    }
    return true;
}

static int hex_value(char character)
{
    if (is_digit(character))
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

static bool read_unit(const char **at, const char *end, uint32_t *unit)
{
    if (end - *at < 4)
        return false;
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        int value = hex_value(*(*at)++);
        if (value < 0)
            return false;
        *unit = *unit << 4 | (uint32_t)value;
    }
    return true;
}

/* What follows the backslash. A surrogate that has no partner becomes U+FFFD. */
static bool read_escape(const char **at, const char *end, uint32_t *character)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    uint32_t low;

    if (*at >= end)
        return false;
    char name = *(*at)++;
    if (name != 'u') {
        const char *found = name ? strchr(names, name) : NULL;
        *character = found ? (unsigned char)values[found - names] : 0;
        return found;
    }
    if (!read_unit(at, end, character))
        return false;
    if (*character < 0xd800 || *character > 0xdfff)
        return true;
    const char *partner = *at;
    if (*character < 0xdc00 && skip_literal(&partner, end, "\\u") && read_unit(&partner, end, &low) &&
        low >= 0xdc00 && low <= 0xdfff) {
        *at = partner;
        *character = 0x10000 + ((*character - 0xd800) << 10) + (low - 0xdc00);
    } else {
        *character = 0xfffd;
    }
    return true;
}

static size_t write_utf8(uint32_t character, char out[4])
{
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    size_t size = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    out[0] = (char)(lead[size] | character);
    return size;
}

/* Read a string; where `text` is not NULL, decode it there, if it fits. */
static bool read_string(const char **at, const char *end, char *text, size_t room)
{
    size_t used = 0;

    if (*at >= end || *(*at)++ != '"')
        return false;
    while (*at < end && **at != '"') {
        char bytes[4] = {*(*at)++};
        size_t size = 1;
        if ((unsigned char)bytes[0] < 0x20)
            return false;
        if (bytes[0] == '\\') {
            uint32_t character;
            if (!read_escape(at, end, &character))
                return false;
            size = write_utf8(character, bytes);
        }
        if (!text)
            continue;
        if (used + size >= room)
            return false;
        memcpy(text + used, bytes, size);
        used += size;
    }
    if (text)
        text[used] = '\0';
    return *at < end && *(*at)++ == '"';
}

static bool skip_value(const char **at, const char *end, int depth);

static bool skip_key(const char **at, const char *end)
{
    if (!read_string(at, end, NULL, 0))
        return false;
    skip_space(at, end);
    return skip_literal(at, end, ":");
}

/* An object where `close` is a brace, an array where it is a bracket. */
static bool skip_list(const char **at, const char *end, char close, int depth)
{
    ++*at;
    skip_space(at, end);
    if (*at < end && **at == close) {
        ++*at;
        return true;
    }
    while (*at < end) {
        skip_space(at, end);
        if (close == '}' && !skip_key(at, end))
            return false;
        if (!skip_value(at, end, depth + 1))
            return false;
        skip_space(at, end);
        if (*at >= end)
            return false;
        char next = *(*at)++;
        if (next == close)
            return true;
        if (next != ',')
            return false;
    }
    return false;
}

static bool skip_value(const char **at, const char *end, int depth)
{
    skip_space(at, end);
    if (*at >= end || depth > MOST_DEPTH)
        return false;
    switch (**at) {
    case '{':
        return skip_list(at, end, '}', depth);
    case '[':
        return skip_list(at, end, ']', depth);
    case '"':
        return read_string(at, end, NULL, 0);
    case 't':
        return skip_literal(at, end, "true");
    case 'f':
        return skip_literal(at, end, "false");
    case 'n':
        return skip_literal(at, end, "null");
    default:
        return skip_number(at, end);
    }
}

bool json_parse(const char *text, size_t size, struct json *value)
{
    const char *at = text;
    const char *end = text + size;

    skip_space(&at, end);
    value->at = at;
    if (!skip_value(&at, end, 0))
        return false;
    value->end = at;
    skip_space(&at, end);
    return at == end;
}

/* From here on the text is known to be right: it went through json_parse. */

static bool step_to_value(struct json list, const char *at, struct json *element)
{
    skip_space(&at, list.end);
    element->at = at;
    if (!skip_value(&at, list.end, 0))
        return false;
    element->end = at;
    return true;
}

bool json_first(struct json array, struct json *element)
{
    return *array.at == '[' && step_to_value(array, array.at + 1, element);
}

bool json_next(struct json array, struct json *element)
{
    const char *at = element->end;

    skip_space(&at, array.end);
    return skip_literal(&at, array.end, ",") && step_to_value(array, at, element);
}

bool json_member(struct json object, const char *name, struct json *value)
{
    const char *at = object.at + 1;
    char key[MOST_KEY];

    if (*object.at != '{')
        return false;
    do {
        skip_space(&at, object.end);
        const char *start = at;
        if (!skip_key(&at, object.end) || !step_to_value(object, at, value))
            return false;
        bool fits = read_string(&start, object.end, key, sizeof key);
        if (fits && strcmp(key, name) == 0)
            return true;
        at = value->end;
        skip_space(&at, object.end);
    } while (skip_literal(&at, object.end, ","));
    return false;
}

bool json_text(struct json value, char *text, size_t room)
{
    const char *at = value.at;

    return read_string(&at, value.end, text, room);
}

bool json_number(struct json value, unsigned long *number)
{
    const char *at = value.at;

    for (*number = 0; at < value.end && is_digit(*at) && at - value.at < MOST_DIGITS; at++)
        *number = *number * 10 + (unsigned)(*at - '0');
    return at == value.end;
}
