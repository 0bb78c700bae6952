#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* One write, so that lines of several processes do not mix; without stdio, whose buffers a fork would double. */
static void say(const char *format, va_list arguments)
{
    static const char prefix[] = "spillway-helper: ";
    char line[1024];
    size_t used = sizeof prefix - 1;
    size_t room = sizeof line - used - 1;

    for (size_t i = 0; i < used; i++)
        line[i] = prefix[i];
    int length = vsnprintf(line + used, room, format, arguments);
    if (length > 0)
        used += (size_t)length < room ? (size_t)length : room - 1;
    /* What was quoted must not break the line, or steer a terminal. */
    for (size_t i = 0; i < used; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
    line[used++] = '\n';
    /* There is nobody left to tell when standard error is gone. */
    ssize_t written = write(STDERR_FILENO, line, used);
    (void)written;
}

void complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

void fail(enum exit_code code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    _exit(code);
}
