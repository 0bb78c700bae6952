#include "network.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "fail.h"
#include "files.h"
#include "places.h"

enum { MOST_FILE = 1 << 20 };

/* An open and locked file with its content. They are bind mounts: they cannot be replaced by renaming, so that
   wrappers of other containers, which may see the same file, are kept out by the lock instead. */
struct shared_file {
    char *path;
    int file;
    struct bytes content;
};

static struct shared_file open_shared(const char *name)
{
    struct shared_file shared = {.path = etc_file(name)};

    shared.file = open(shared.path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (shared.file < 0 || flock(shared.file, LOCK_EX) < 0 || !read_whole(shared.file, MOST_FILE, &shared.content))
        fail(EXIT_SYSTEM, "cannot open %s: %s", shared.path, strerror(errno));
    return shared;
}

/* Write from `offset` on; what was there after the new end goes. */
static void close_shared(struct shared_file *shared, size_t offset, const char *text)
{
    off_t end = (off_t)(offset + strlen(text));

    if (lseek(shared->file, (off_t)offset, SEEK_SET) < 0 || write_all(shared->file, text, strlen(text)) < 0 ||
        ftruncate(shared->file, end) < 0)
        fail(EXIT_SYSTEM, "cannot write %s: %s", shared->path, strerror(errno));
    close(shared->file);
    free(shared->content.data);
    free(shared->path);
}

static bool has_line(const char *content, const char *line)
{
    size_t length = strlen(line);

    for (const char *at = content; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, line, length) == 0 && (at[length] == '\n' || !at[length]))
            return true;
        if (!*at)
            break;
    }
    return false;
}

void add_hosts(const struct words *lines)
{
    if (lines->count == 0)
        return;
    struct shared_file hosts = open_shared("hosts");
    const char *content = (char *)hosts.content.data;
    size_t size = strlen(content);
    char *added = copied(size > 0 && content[size - 1] != '\n' ? "\n" : "");

    for (size_t i = 0; i < lines->count; i++) {
        if (has_line(content, lines->items[i]))
            continue;
        char *longer = formatted("%s%s\n", added, lines->items[i]);
        free(added);
        added = longer;
    }
    close_shared(&hosts, size, added);
    free(added);
}

/* Whether the line begins with the keyword and a space. */
static bool is_kind(const char *line, const char *keyword)
{
    size_t length = strlen(keyword);

    return strncmp(line, keyword, length) == 0 && (line[length] == ' ' || line[length] == '\t');
}

static void append_text(char **text, const char *more, const char *after)
{
    char *longer = formatted("%s%s%s", *text, more, after);

    free(*text);
    *text = longer;
}

/* The lines that stay: those of a kind that is not replaced. `domain` is another word for `search`. */
static char *kept_lines(const struct resolver *resolver, char *content)
{
    char *kept = copied("");

    for (char *line; (line = strsep(&content, "\n"));) {
        bool replaced = (resolver->servers.count && is_kind(line, "nameserver")) ||
                        (resolver->search.count && (is_kind(line, "search") || is_kind(line, "domain"))) ||
                        (resolver->options.count && is_kind(line, "options"));
        if (!replaced && *line)
            append_text(&kept, line, "\n");
    }
    return kept;
}

static void append_joined(char **text, const char *keyword, const struct words *words)
{
    if (words->count == 0)
        return;
    append_text(text, keyword, "");
    for (size_t i = 0; i < words->count; i++)
        append_text(text, " ", words->items[i]);
    append_text(text, "\n", "");
}

void write_resolver(const struct resolver *resolver)
{
    if (!resolver->given)
        return;
    struct shared_file file = open_shared("resolv.conf");
    char *text = kept_lines(resolver, (char *)file.content.data);

    for (size_t i = 0; i < resolver->servers.count; i++) {
        append_text(&text, "nameserver ", resolver->servers.items[i]);
        append_text(&text, "\n", "");
    }
    append_joined(&text, "search", &resolver->search);
    append_joined(&text, "options", &resolver->options);
    close_shared(&file, 0, text);
    free(text);
}
