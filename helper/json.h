/* A reader of JSON (RFC 8259) that copies nothing: a value is a stretch of the text that holds it. */
#ifndef SPILLWAY_JSON_H
#define SPILLWAY_JSON_H

#include <stdbool.h>
#include <stddef.h>

struct json {
    const char *at;
    const char *end;
};

/* False where the text is not one JSON value, or nested more than 32 deep. */
bool json_parse(const char *text, size_t size, struct json *value);

/* The value of a member; false where `object` is no object or has none of that name. */
bool json_member(struct json object, const char *name, struct json *value);

/* The first element and each next one. False after the last, and where `array` is no array. */
bool json_first(struct json array, struct json *element);
bool json_next(struct json array, struct json *element);

/* The string's text, decoded; false where it is no string or does not fit. */
bool json_text(struct json value, char *text, size_t room);

/* False where it is no number without sign, fraction and exponent, or too large. */
bool json_number(struct json value, unsigned long *number);

#endif
