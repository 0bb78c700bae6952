#include "child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "signals.h"

/* What runtimes give a container whose image names none. */
static const char USUAL_PATH[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* How long to go on killing what is left: only what hangs in the kernel outlives the first try. */
enum { MOST_KILLING = 5000, KILLING_PAUSE = 10 };

extern char **environ;

/* Execute the first of the name along $PATH. Our own search: C libraries differ in what they do on ENOEXEC. */
static void search_and_execute(char **command)
{
    const char *path = getenv("PATH");
    int worst = ENOENT;

    for (const char *at = path ? path : USUAL_PATH; at; ) {
        size_t length = strcspn(at, ":");
        char *file = formatted("%.*s%s%s", (int)length, at, length ? "/" : "./", command[0]);
        execve(file, command, environ);
        free(file);
        if (errno != ENOENT && errno != ENOTDIR)
            worst = errno;
        if (worst != ENOENT && worst != EACCES)
            break;
        at = at[length] ? at + length + 1 : NULL;
    }
    errno = worst;
}

static _Noreturn void execute(char **command)
{
    if (strchr(command[0], '/'))
        execve(command[0], command, environ);
    else if (*command[0])
        search_and_execute(command);
    else
        errno = ENOENT;
    fail(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_REFUSED, "cannot run %s: %s", command[0], strerror(errno));
}

/* As a runtime: enter the folder as the starting user, and once more as the new one where only that one may. */
static void enter(const struct setting *setting)
{
    bool entered = !setting->workdir || chdir(setting->workdir) == 0;

    if (!entered && errno != EACCES)
        fail(EXIT_SYSTEM, "cannot enter %s: %s", setting->workdir, strerror(errno));
    become(&setting->identity);
    if (!entered && chdir(setting->workdir) < 0)
        fail(EXIT_SYSTEM, "cannot enter %s: %s", setting->workdir, strerror(errno));
}

/* Where nothing else ends a container with its first process, as the end of a PID namespace does, the kernel shall
   end the command with us: it is in a group of its own. A change of credentials would undo it. */
static void die_with(pid_t wrapper)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        fail(EXIT_SYSTEM, "cannot follow the wrapper to its end: %s", strerror(errno));
    if (getppid() != wrapper)
        raise(SIGKILL);
}

static _Noreturn void run_child(const struct words *command, const struct setting *setting, pid_t wrapper)
{
    enter(setting);
    die_with(wrapper);
    restore_signals();
    execute(command->items);
}

static pid_t fork_group(void)
{
    pid_t child = fork();

    /* Both sides do it, so that it is done whichever runs first. */
    if (child >= 0)
        setpgid(child, child);
    return child;
}

/* The terminal's own signals (Ctrl-C) and the right to read it belong to its foreground group. A group that only the
   command is in keeps them from reaching us as well, which would forward them a second time. We hold SIGTTOU, so
   that the call does not stop us. */
pid_t start_command(const struct words *command, const struct setting *setting)
{
    pid_t wrapper = getpid();
    pid_t child = fork_group();

    if (child < 0)
        fail(EXIT_SYSTEM, "cannot fork: %s", strerror(errno));
    if (child > 0)
        return child;
    if (isatty(STDIN_FILENO))
        tcsetpgrp(STDIN_FILENO, getpid());
    run_child(command, setting, wrapper);
}

pid_t start_hook(const struct words *command, const struct setting *setting)
{
    pid_t wrapper = getpid();
    pid_t child = fork_group();

    if (child != 0)
        return child;
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int file = 0; file < 3; file++)
        if (nothing < 0 || dup2(nothing, file) < 0)
            fail(EXIT_SYSTEM, "cannot open /dev/null: %s", strerror(errno));
    run_child(command, setting, wrapper);
}

/* In a session without a terminal: what asks at /dev/tty, as ssh does, must neither read our lines nor be stopped. */
pid_t start_piped(const struct words *command, const struct setting *setting, const int files[3])
{
    pid_t wrapper = getpid();
    pid_t child = fork();

    if (child < 0)
        fail(EXIT_SYSTEM, "cannot fork: %s", strerror(errno));
    if (child > 0)
        return child;
    setsid();
    for (int file = 0; file < 3; file++)
        if (dup2(files[file], file) < 0)
            fail(EXIT_SYSTEM, "cannot connect the command: %s", strerror(errno));
    run_child(command, setting, wrapper);
}

/* Root without KILL, which a pod may have dropped, cannot signal other users' processes; the user itself can. */
static bool send_as(pid_t process, int signal, const struct identity *identity)
{
    int status;
    pid_t messenger = fork();

    if (messenger == 0) {
        become(identity);
        _exit(kill(process, signal) == 0 ? 0 : 1);
    }
    return messenger > 0 && waitpid(messenger, &status, 0) == messenger && status == 0;
}

bool send_signal(pid_t process, int signal, const struct identity *identity)
{
    if (kill(process, signal) == 0)
        return true;
    return errno == EPERM && identity->changes_user && send_as(process, signal, identity);
}

void signal_group(pid_t leader, int signal, const struct identity *identity)
{
    if (!send_signal(-leader, signal, identity) && errno == ESRCH)
        send_signal(leader, signal, identity);
}

void take_terminal(void)
{
    if (isatty(STDIN_FILENO))
        tcsetpgrp(STDIN_FILENO, getpgrp());
}

void adopt_orphans(void)
{
    if (getpid() != 1 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        fail(EXIT_SYSTEM, "cannot adopt orphans: %s", strerror(errno));
}

/* The parent of a process by /proc/PID/stat, where it stands after the name in its parentheses; 0 for none. */
static pid_t parent_of(const char *pid)
{
    char text[512];
    int parent = 0;
    char *path = formatted("/proc/%s/stat", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? 0 : read(file, text, sizeof text - 1);

    free(path);
    if (file >= 0)
        close(file);
    if (size <= 0)
        return 0;
    text[size] = '\0';
    const char *after_name = strrchr(text, ')');
    return after_name && sscanf(after_name, ") %*c %d", &parent) == 1 ? parent : 0;
}

static void kill_children(const struct identity *identity)
{
    DIR *processes = opendir("/proc");

    if (!processes)
        return;
    for (struct dirent *entry; (entry = readdir(processes));) {
        int pid = atoi(entry->d_name);
        if (pid > 0 && parent_of(entry->d_name) == getpid())
            send_signal(pid, SIGKILL, identity);
    }
    closedir(processes);
}

/* Whoever loses its parent becomes our child, and is killed in the next round. */
void end_descendants(const struct identity *identity)
{
    long long deadline = monotonic_now() + MOST_KILLING;
    const struct timespec pause = {0, KILLING_PAUSE * 1000000L};

    for (;;) {
        pid_t reaped = waitpid(-1, NULL, WNOHANG);
        if (reaped < 0 && errno == ECHILD)
            return;
        if (reaped > 0)
            continue;
        if (monotonic_now() >= deadline) {
            complain("processes are left that cannot be killed");
            return;
        }
        kill_children(identity);
        nanosleep(&pause, NULL);
    }
}
