/* How the program says that it cannot go on, and the codes that it ends with. */
#ifndef SPILLWAY_FAIL_H
#define SPILLWAY_FAIL_H

enum exit_code {
    EXIT_SYSTEM = 74,     /* the operating system refused something */
    EXIT_PLAN = 78,       /* the words we were given are not right */
    EXIT_REFUSED = 126,   /* the command cannot or must not be executed */
    EXIT_NOT_FOUND = 127, /* there is no such command */
    EXIT_SIGNAL = 128     /* plus the number of the signal that ended the command */
};

/* Write one line to standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Write one line to standard error and end with the code. No exit handlers run: it may be called in a child. */
_Noreturn void fail(enum exit_code code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
