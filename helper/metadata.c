#include "metadata.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"

static bool look_at(const char *path, int timeout, struct task_look *look, const char **problem)
{
    const char *endpoint = getenv("ECS_CONTAINER_METADATA_URI_V4");

    *problem = "ECS_CONTAINER_METADATA_URI_V4 is not set";
    if (!endpoint)
        return false;
    char *url = formatted("%s/%s", endpoint, path);
    bool answered = http_get(url, timeout, &look->text, problem);
    free(url);
    if (!answered)
        return false;
    if (json_parse((char *)look->text.data, look->text.size, &look->task))
        return true;
    *problem = "the answer is not JSON";
    free(look->text.data);
    return false;
}

bool look_at_task(int timeout, struct task_look *look, const char **problem)
{
    return look_at("task", timeout, look, problem);
}

bool look_at_statistics(int timeout, struct task_look *look, const char **problem)
{
    return look_at("task/stats", timeout, look, problem);
}

/* The first element of the member, if it is an address of the family. */
static void take_address(struct json network, const char *member, int family, char address[ADDRESS_SIZE])
{
    unsigned char binary[sizeof(struct in6_addr)];
    struct json list;
    struct json first;

    if (!json_member(network, member, &list) || !json_first(list, &first))
        return;
    if (!json_text(first, address, ADDRESS_SIZE) || inet_pton(family, address, binary) != 1)
        *address = '\0';
}

static bool take_addresses(struct json container, struct addresses *addresses)
{
    struct json networks;
    struct json network;

    if (!json_member(container, "Networks", &networks))
        return false;
    for (bool more = json_first(networks, &network); more; more = json_next(networks, &network)) {
        *addresses = (struct addresses){0};
        take_address(network, "IPv4Addresses", AF_INET, addresses->v4);
        take_address(network, "IPv6Addresses", AF_INET6, addresses->v6);
        if (*addresses->v4 || *addresses->v6)
            return true;
    }
    return false;
}

/* All containers of a task share its one network interface. */
bool find_addresses(const struct task_look *look, struct addresses *addresses)
{
    struct json containers;
    struct json container;

    if (!json_member(look->task, "Containers", &containers))
        return false;
    for (bool more = json_first(containers, &container); more; more = json_next(containers, &container))
        if (take_addresses(container, addresses))
            return true;
    return false;
}

static bool member_is(struct json object, const char *name, const char *expected)
{
    struct json value;
    char text[256];

    return json_member(object, name, &value) && json_text(value, text, sizeof text) && strcmp(text, expected) == 0;
}

bool has_stopped(const struct task_look *look, const char *container)
{
    struct json containers;
    struct json one;

    if (!json_member(look->task, "Containers", &containers))
        return false;
    for (bool more = json_first(containers, &one); more; more = json_next(containers, &one))
        if (member_is(one, "Name", container))
            return member_is(one, "KnownStatus", "STOPPED");
    return false;
}
