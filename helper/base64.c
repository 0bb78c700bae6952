#include "base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char character)
{
    const char *found = character ? strchr(alphabet, character) : NULL;

    return found ? (int)(found - alphabet) : -1;
}

/* Decode four characters of which the last `padding` are '='; false where they are none or leave bits over. */
static bool decode_four(const char *text, size_t padding, unsigned char *out)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? value_of(text[i]) : 0;
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
    }
    for (size_t i = 0; i < 3 - padding; i++)
        out[i] = (unsigned char)(bits >> (16 - 8 * i));
    return (bits & ((1U << (8 * padding)) - 1)) == 0;
}

bool base64_decode(const char *text, struct bytes *decoded)
{
    size_t length = strlen(text);
    size_t padding = 0;

    if (length % 4 != 0)
        return false;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
        padding++;
    struct bytes out = {allocate(length / 4 * 3 + 1), length / 4 * 3 - padding};
    for (size_t i = 0; i < length / 4; i++) {
        size_t missing = i + 1 == length / 4 ? padding : 0;
        if (!decode_four(text + 4 * i, missing, out.data + 3 * i)) {
            free(out.data);
            return false;
        }
    }
    *decoded = out;
    return true;
}

char *base64_encode(const unsigned char *data, size_t size)
{
    char *text = allocate((size + 2) / 3 * 4 + 1);
    char *out = text;

    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t bits = (uint32_t)data[i] << 16;
        if (left > 1)
            bits |= (uint32_t)data[i + 1] << 8;
        if (left > 2)
            bits |= data[i + 2];
        *out++ = alphabet[bits >> 18];
        *out++ = alphabet[bits >> 12 & 63];
        *out++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        *out++ = left > 2 ? alphabet[bits & 63] : '=';
    }
    return text;
}
