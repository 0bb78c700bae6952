/* The in-task helper of Spillway. README.md beside this file is its contract. */

#include <string.h>

#include "exec.h"
#include "fail.h"
#include "install.h"
#include "keep.h"
#include "places.h"
#include "run.h"

int main(int count, char **arguments)
{
    const char *command = count > 1 ? arguments[1] : "";

    find_places();
    if (strcmp(command, "install") == 0 && count == 2)
        return install();
    if (strcmp(command, "run") == 0)
        return run(arguments + 2);
    if (strcmp(command, "keep") == 0)
        return keep(arguments + 2);
    if (strcmp(command, "exec") == 0)
        return exec_command(arguments + 2);
    fail(EXIT_PLAN, "usage: spillway-helper install | run NAME -- COMMAND... | keep [NAME...] | exec pipe|tty NONCE");
}
