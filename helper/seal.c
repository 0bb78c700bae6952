#include "seal.h"

#include <stdint.h>
#include <string.h>

static uint32_t load32(const unsigned char *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

static void store32(unsigned char *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (unsigned char)(value >> (8 * i));
}

static void store64(unsigned char *out, uint64_t value)
{
    store32(out, (uint32_t)value);
    store32(out + 4, (uint32_t)(value >> 32));
}

static uint32_t rotated(uint32_t value, int by)
{
    return value << by | value >> (32 - by);
}

static void quarter_round(uint32_t *s, int a, int b, int c, int d)
{
    s[a] += s[b];
    s[d] = rotated(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = rotated(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = rotated(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = rotated(s[b] ^ s[c], 7);
}

/* RFC 8439, section 2.3. */
static void chacha20_block(const unsigned char *key, uint32_t counter, const unsigned char *nonce,
                           unsigned char out[64])
{
    uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint32_t s[16];

    for (int i = 0; i < 8; i++)
        start[4 + i] = load32(key + 4 * i);
    start[12] = counter;
    for (int i = 0; i < 3; i++)
        start[13 + i] = load32(nonce + 4 * i);
    memcpy(s, start, sizeof s);
    for (int i = 0; i < 10; i++) {
        for (int column = 0; column < 4; column++)
            quarter_round(s, column, 4 + column, 8 + column, 12 + column);
        for (int diagonal = 0; diagonal < 4; diagonal++)
            quarter_round(s, diagonal, 4 + (diagonal + 1) % 4, 8 + (diagonal + 2) % 4, 12 + (diagonal + 3) % 4);
    }
    for (int i = 0; i < 16; i++)
        store32(out + 4 * i, s[i] + start[i]);
}

/* The state of Poly1305: numbers modulo 2^130 - 5 in five limbs of 26 bits, so that products fit 64 bits. */
struct poly1305 {
    uint32_t r[5];
    uint32_t h[5];
};

static const uint32_t LIMB = (1U << 26) - 1;

/* h = (h + block) * r; `high` is the bit above the sixteen bytes. RFC 8439, section 2.5. */
static void poly1305_block(struct poly1305 *p, const unsigned char *block, uint32_t high)
{
    const uint32_t *r = p->r;
    uint64_t product[5] = {0};

    p->h[0] += load32(block) & LIMB;
    p->h[1] += load32(block + 3) >> 2 & LIMB;
    p->h[2] += load32(block + 6) >> 4 & LIMB;
    p->h[3] += load32(block + 9) >> 6;
    p->h[4] += load32(block + 12) >> 8 | high << 24;
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++)
            /* A limb above 2^130 comes back multiplied by 5. */
            product[(i + j) % 5] += (uint64_t)p->h[i] * r[j] * (i + j < 5 ? 1 : 5);
    uint64_t carry = 0;
    for (int i = 0; i < 5; i++) {
        product[i] += carry;
        p->h[i] = (uint32_t)product[i] & LIMB;
        carry = product[i] >> 26;
    }
    p->h[0] += (uint32_t)(carry * 5);
    p->h[1] += p->h[0] >> 26;
    p->h[0] &= LIMB;
}

/* Bytes in blocks of sixteen, the last one filled up with zeros as section 2.8 has it. */
static void poly1305_padded(struct poly1305 *p, const unsigned char *data, size_t size)
{
    for (size_t done = 0; done < size; done += 16) {
        unsigned char block[16] = {0};
        memcpy(block, data + done, size - done < 16 ? size - done : 16);
        poly1305_block(p, block, 1);
    }
}

static void poly1305_carry(uint32_t *h)
{
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 4; i++) {
            h[i + 1] += h[i] >> 26;
            h[i] &= LIMB;
        }
        h[0] += (h[4] >> 26) * 5;
        h[4] &= LIMB;
    }
    h[1] += h[0] >> 26;
    h[0] &= LIMB;
}

/* The remainder of h, plus `s`, modulo 2^128. */
static void poly1305_tag(struct poly1305 *p, const unsigned char *s, unsigned char tag[SEAL_TAG_SIZE])
{
    uint32_t less[5];
    uint32_t carry = 5;

    poly1305_carry(p->h);
    for (int i = 0; i < 5; i++) {
        less[i] = p->h[i] + carry;
        carry = less[i] >> 26;
        less[i] &= LIMB;
    }
    /* h + 5 reached 2^130: h was the modulus or above. Chosen by a mask, in constant time. */
    uint32_t mask = 0U - carry;
    for (int i = 0; i < 5; i++)
        p->h[i] = (p->h[i] & ~mask) | (less[i] & mask);

    const uint32_t *h = p->h;
    const uint32_t word[4] = {h[0] | h[1] << 26, h[1] >> 6 | h[2] << 20, h[2] >> 12 | h[3] << 14,
                              h[3] >> 18 | h[4] << 8};
    uint64_t sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += (uint64_t)word[i] + load32(s + 4 * i);
        store32(tag + 4 * i, (uint32_t)sum);
        sum >>= 32;
    }
}

static void poly1305_start(struct poly1305 *p, const unsigned char *key)
{
    *p = (struct poly1305){.r = {load32(key) & 0x3ffffff, load32(key + 3) >> 2 & 0x3ffff03,
                                 load32(key + 6) >> 4 & 0x3ffc0ff, load32(key + 9) >> 6 & 0x3f03fff,
                                 load32(key + 12) >> 8 & 0x00fffff}};
}

/* RFC 8439, section 2.8: the tag over additional data, ciphertext and both lengths. */
static void tag_of(const unsigned char *key, const unsigned char *nonce, struct bytes additional,
                   struct bytes ciphertext, unsigned char tag[SEAL_TAG_SIZE])
{
    unsigned char once[64];
    unsigned char lengths[16];
    struct poly1305 p;

    chacha20_block(key, 0, nonce, once);
    poly1305_start(&p, once);
    poly1305_padded(&p, additional.data, additional.size);
    poly1305_padded(&p, ciphertext.data, ciphertext.size);
    store64(lengths, additional.size);
    store64(lengths + 8, ciphertext.size);
    poly1305_block(&p, lengths, 1);
    poly1305_tag(&p, once + 16, tag);
}

static bool same(const unsigned char *a, const unsigned char *b, size_t size)
{
    unsigned char difference = 0;

    for (size_t i = 0; i < size; i++)
        difference |= a[i] ^ b[i];
    return difference == 0;
}

bool seal_open(struct bytes sealed, const unsigned char key[SEAL_KEY_SIZE], struct bytes additional,
               struct bytes *opened)
{
    unsigned char tag[SEAL_TAG_SIZE];

    if (sealed.size < SEAL_NONCE_SIZE + SEAL_TAG_SIZE)
        return false;
    const unsigned char *nonce = sealed.data;
    struct bytes ciphertext = {sealed.data + SEAL_NONCE_SIZE, sealed.size - SEAL_NONCE_SIZE - SEAL_TAG_SIZE};
    tag_of(key, nonce, additional, ciphertext, tag);
    if (!same(tag, ciphertext.data + ciphertext.size, sizeof tag))
        return false;

    struct bytes plain = {allocate(ciphertext.size + 1), ciphertext.size};
    for (size_t done = 0; done < plain.size; done += 64) {
        unsigned char stream[64];
        chacha20_block(key, (uint32_t)(done / 64) + 1, nonce, stream);
        for (size_t i = 0; i < 64 && done + i < plain.size; i++)
            plain.data[done + i] = ciphertext.data[done + i] ^ stream[i];
    }
    *opened = plain;
    return true;
}
