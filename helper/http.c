#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "lines.h"

enum { MOST_ANSWER = 1 << 20, PIECE = 16384 };

struct target {
    struct sockaddr_storage address;
    socklen_t address_size;
    char *authority;
    const char *path;
};

static bool set_address(struct target *target, const char *host, unsigned long port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&target->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&target->address;

    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        target->address_size = sizeof *v4;
        return true;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        target->address_size = sizeof *v6;
        return true;
    }
    return false;
}

/* Cut `HOST:PORT` or `[HOST]:PORT`, which is changed, and take it as the address. */
static bool parse_authority(struct target *target, char *authority)
{
    unsigned long port = 80;
    char *host = authority;
    char *rest = authority;

    if (*authority == '[') {
        host++;
        rest = strchr(authority, ']');
        if (!rest)
            return false;
        *rest++ = '\0';
    }
    char *colon = strchr(rest, ':');
    if (colon) {
        *colon = '\0';
        if (!parse_number(colon + 1, 65535, &port))
            return false;
    }
    return set_address(target, host, port);
}

static bool parse_url(const char *url, struct target *target)
{
    static const char scheme[] = "http://";

    memset(target, 0, sizeof *target);
    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return false;
    for (const char *c = url; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return false;
    const char *authority = url + sizeof scheme - 1;
    size_t length = strcspn(authority, "/");
    target->path = authority[length] ? authority + length : "/";
    target->authority = formatted("%.*s", (int)length, authority);
    char *parts = copied(target->authority);
    bool parsed = parse_authority(target, parts);
    free(parts);
    return parsed;
}

static bool wait_for(int connection, short events, long long deadline)
{
    for (;;) {
        long long left = deadline - monotonic_now();
        struct pollfd wanted = {.fd = connection, .events = events};
        int ready = left > 0 ? poll(&wanted, 1, (int)left) : 0;
        if (ready >= 0 || errno != EINTR)
            return ready > 0;
    }
}

static bool open_connection(int connection, const struct target *target, long long deadline)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (connect(connection, (const struct sockaddr *)&target->address, target->address_size) == 0)
        return true;
    if (errno != EINPROGRESS || !wait_for(connection, POLLOUT, deadline))
        return false;
    return getsockopt(connection, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

static bool send_all(int connection, const char *text, long long deadline)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t sent = send(connection, text, left, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (sent < 0 && !wait_for(connection, POLLOUT, deadline))
            return false;
        if (sent > 0) {
            text += sent;
            left -= (size_t)sent;
        }
    }
    return true;
}

static bool receive_all(int connection, struct bytes *answer, long long deadline)
{
    for (;;) {
        if (answer->size > MOST_ANSWER || !wait_for(connection, POLLIN, deadline))
            return false;
        answer->data = grown(answer->data, answer->size + PIECE, 1);
        ssize_t got = recv(connection, answer->data + answer->size, PIECE, 0);
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (got > 0)
            answer->size += (size_t)got;
        answer->data[answer->size] = '\0';
        if (got == 0)
            return true;
    }
}

static bool exchange(const struct target *target, long long deadline, struct bytes *answer, const char **problem)
{
    int connection = socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* 1.0, so that the answer is neither chunked nor kept open. */
    char *request = formatted("GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n", target->path,
                              target->authority);
    bool done = false;

    if (connection < 0 || !open_connection(connection, target, deadline))
        *problem = "cannot connect";
    else if (!send_all(connection, request, deadline) || !receive_all(connection, answer, deadline))
        *problem = "no whole answer";
    else
        done = true;
    if (connection >= 0)
        close(connection);
    free(request);
    return done;
}

/* Leave the body alone in `answer`. */
static bool take_body(struct bytes *answer, const char **problem)
{
    const char *text = (const char *)answer->data;
    const char *head_end = memmem(text, answer->size, "\r\n\r\n", 4);

    *problem = "the answer is not a 200";
    if (answer->size < 13 || strncmp(text, "HTTP/1.", 7) != 0 || strncmp(text + 8, " 200", 4) != 0 || !head_end)
        return false;
    size_t skipped = (size_t)(head_end + 4 - text);
    answer->size -= skipped;
    memmove(answer->data, answer->data + skipped, answer->size + 1);
    return true;
}

bool http_get(const char *url, int timeout, struct bytes *body, const char **problem)
{
    long long deadline = monotonic_now() + timeout;
    struct bytes answer = {0};
    struct target target;
    bool done = parse_url(url, &target);

    if (!done)
        *problem = "not an http:// URL with an IP address";
    else
        done = exchange(&target, deadline, &answer, problem) && take_body(&answer, problem);
    free(target.authority);
    if (done)
        *body = answer;
    else
        free(answer.data);
    return done;
}
