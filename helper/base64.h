/* Base64 (RFC 4648, section 4) with padding, in its one canonical form. */
#ifndef SPILLWAY_BASE64_H
#define SPILLWAY_BASE64_H

#include <stdbool.h>

#include "memory.h"

/* False where the text is not canonical base64; `*decoded` is then untouched. */
bool base64_decode(const char *text, struct bytes *decoded);

char *base64_encode(const unsigned char *data, size_t size);

#endif
