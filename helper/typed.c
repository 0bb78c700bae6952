#include "typed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base64.h"
#include "fail.h"

static bool is_end_of_line(char character)
{
    return character == '\n' || character == '\r';
}

/* "-" comes again and again while a command takes nothing of what waits before it: it must not fill the room. No
   base64 ends so. */
static void forget_awake(struct typed *typed)
{
    while (typed->used >= 2 && typed->text[typed->used - 2] == '-' && is_end_of_line(typed->text[typed->used - 1]))
        typed->used -= 2;
}

bool read_typed(struct typed *typed)
{
    size_t room = sizeof typed->text - typed->used;

    if (room == 0)
        fail(EXIT_PLAN, "more was typed than may be typed ahead");
    ssize_t size = read(STDIN_FILENO, typed->text + typed->used, room);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    typed->used += (size_t)size;
    forget_awake(typed);
    return size > 0;
}

static size_t line_length(const struct typed *typed)
{
    size_t length = 0;

    while (length < typed->used && !is_end_of_line(typed->text[length]))
        length++;
    return length;
}

enum typed_kind take_typed(struct typed *typed, struct bytes *data)
{
    enum typed_kind kind = NOTHING_TYPED;

    while (kind == NOTHING_TYPED) {
        size_t length = line_length(typed);
        if (length == typed->used)
            return NOTHING_TYPED;
        typed->text[length] = '\0';
        if (strcmp(typed->text, ".") == 0)
            kind = END_TYPED;
        else if (length == 0 || strcmp(typed->text, "-") == 0)
            kind = NOTHING_TYPED;
        else if (base64_decode(typed->text, data))
            kind = DATA_TYPED;
        else
            fail(EXIT_PLAN, "what was typed is not base64");
        typed->used -= length + 1;
        memmove(typed->text, typed->text + length + 1, typed->used);
    }
    return kind;
}

struct bytes read_document(struct typed *typed)
{
    struct bytes document = {0};
    struct bytes piece;

    for (;;) {
        enum typed_kind kind = take_typed(typed, &piece);
        if (kind == END_TYPED)
            return document;
        if (kind == NOTHING_TYPED) {
            if (!read_typed(typed))
                fail(EXIT_SYSTEM, "the terminal is gone");
            continue;
        }
        document.data = realloc(document.data, document.size + piece.size + 1);
        if (!document.data)
            fail(EXIT_SYSTEM, "out of memory");
        memcpy(document.data + document.size, piece.data, piece.size);
        document.size += piece.size;
        document.data[document.size] = '\0';
        free(piece.data);
    }
}
