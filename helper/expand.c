#include "expand.h"

#include <string.h>

#include "memory.h"

static void append(struct bytes *out, const char *text, size_t size)
{
    out->data = grown(out->data, out->size + size, 1);
    memcpy(out->data + out->size, text, size);
    out->size += size;
    out->data[out->size] = '\0';
}

/* Write what stands for the text from `dollar` on; the result is where to go on. */
static const char *expand_one(const char *dollar, struct bytes *out, lookup_function *look_up, const void *context)
{
    if (dollar[1] == '$') {
        append(out, "$", 1);
        return dollar + 2;
    }
    const char *end = dollar[1] == '(' ? strchr(dollar, ')') : NULL;
    if (!end) {
        append(out, "$", 1);
        return dollar + 1;
    }
    const char *name = dollar + 2;
    const char *value = look_up(name, (size_t)(end - name), context);
    if (value)
        append(out, value, strlen(value));
    else
        append(out, dollar, (size_t)(end + 1 - dollar));
    return end + 1;
}

char *expanded(const char *text, lookup_function *look_up, const void *context)
{
    struct bytes out = {0};

    append(&out, "", 0);
    for (;;) {
        size_t plain = strcspn(text, "$");
        append(&out, text, plain);
        text += plain;
        if (!*text)
            return (char *)out.data;
        text = expand_one(text, &out, look_up, context);
    }
}
