/* Opens what was sealed with ChaCha20-Poly1305 (RFC 8439). */
#ifndef SPILLWAY_SEAL_H
#define SPILLWAY_SEAL_H

#include <stdbool.h>

#include "memory.h"

enum { SEAL_KEY_SIZE = 32, SEAL_NONCE_SIZE = 12, SEAL_TAG_SIZE = 16 };

/* `sealed` is nonce, ciphertext and tag. False where key, additional data or bytes are not those that sealed it. */
bool seal_open(struct bytes sealed, const unsigned char key[SEAL_KEY_SIZE], struct bytes additional,
               struct bytes *opened);

#endif
