#include "records.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base64.h"
#include "clock.h"
#include "fail.h"
#include "files.h"
#include "places.h"

bool is_container_name(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && length < 64 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

/* Other containers can write the folder: not every name in it is a plain file, and a FIFO must not hold us. */
static int open_record_file(const char *path)
{
    struct stat status;
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);

    if (file < 0)
        return -1;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode))
        return file;
    close(file);
    errno = EINVAL;
    return -1;
}

void open_records(struct records *records, const char *container)
{
    char *folder = records_folder();
    char *path = formatted("%s/%s", folder, container);

    *records = (struct records){container, open_record_file(path)};
    if (records->file < 0)
        complain("cannot open %s: %s; nothing is recorded", path, strerror(errno));
    free(path);
    free(folder);
}

/* One write for each line, so that a reader finds it whole. */
static void append_record(const struct records *records, char *line)
{
    if (records->file >= 0 && write_all(records->file, line, strlen(line)) < 0)
        complain("cannot write a record: %s", strerror(errno));
    free(line);
}

/* `,"name":"value"`, or nothing where there is no value. */
static char *optional_member(const char *name, const char *value)
{
    return *value ? formatted(",\"%s\":\"%s\"", name, value) : copied("");
}

void record_start(const struct records *records, unsigned run, long long started, const char *no_message)
{
    char time[TIMESTAMP_SIZE];
    char *problem = optional_member("noMessage", no_message ? no_message : "");

    write_timestamp(started, time);
    append_record(records, formatted("{\"container\":\"%s\",\"run\":%u,\"started\":\"%s\"%s}\n",
                                     records->container, run, time, problem));
    free(problem);
}

void record_end(const struct records *records, unsigned run, const struct ending *ending)
{
    char started[TIMESTAMP_SIZE];
    char finished[TIMESTAMP_SIZE];
    char due[TIMESTAMP_SIZE] = "";
    char *encoded = base64_encode(ending->message.data, ending->message.size);
    char *message = optional_member("message", encoded);

    write_timestamp(ending->started, started);
    write_timestamp(ending->finished, finished);
    if (ending->again)
        write_timestamp(ending->again, due);
    char *again = optional_member("again", due);
    append_record(records,
                  formatted("{\"container\":\"%s\",\"run\":%u,\"started\":\"%s\",\"finished\":\"%s\",\"code\":%d,"
                            "\"signal\":%d%s%s%s}\n",
                            records->container, run, started, finished, ending->code, ending->signal,
                            ending->out_of_memory ? ",\"oom\":true" : "", message, again));
    free(again);
    free(message);
    free(encoded);
}

void record_hook_failure(const struct records *records, unsigned run, const char *hook, const char *error)
{
    append_record(records, formatted("{\"container\":\"%s\",\"run\":%u,\"hook\":\"%s\",\"error\":\"%s\"}\n",
                                     records->container, run, hook, error));
}

static char *done_start(const char *container)
{
    return formatted("{\"container\":\"%s\",\"done\":true,", container);
}

void record_done(const struct records *records, int code)
{
    char *start = done_start(records->container);

    append_record(records, formatted("%s\"code\":%d}\n", start, code));
    free(start);
}

bool is_done_record(const char *line, size_t length, const char *container)
{
    char *start = done_start(container);
    size_t size = strlen(start);
    bool is_done = length > size && memcmp(line, start, size) == 0;

    free(start);
    return is_done;
}
