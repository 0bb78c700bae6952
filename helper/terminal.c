#include "terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "fail.h"
#include "files.h"
#include "memory.h"

static struct termios original;

void make_raw(void)
{
    struct termios raw;

    if (tcgetattr(STDIN_FILENO, &original) < 0)
        fail(EXIT_SYSTEM, "standard input is no terminal: %s", strerror(errno));
    raw = original;
    cfmakeraw(&raw);
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
        fail(EXIT_SYSTEM, "cannot change the terminal: %s", strerror(errno));
}

void restore_terminal(void)
{
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &original) < 0)
        complain("cannot restore the terminal: %s", strerror(errno));
}

void write_mark(const char *nonce, int code)
{
    char *mark = formatted("%s:%d.", nonce, code);

    /* There is nobody left to tell where the terminal is gone. */
    (void)write_all(STDOUT_FILENO, mark, strlen(mark));
    free(mark);
}
