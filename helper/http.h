/* One GET over plain HTTP. */
#ifndef SPILLWAY_HTTP_H
#define SPILLWAY_HTTP_H

#include <stdbool.h>

#include "memory.h"

/* The body of a 200. The URL's host is an IP address (IPv6 in brackets). False, with what went wrong in `*problem`
   (static text), where there is no such answer within `timeout` milliseconds, or it is above 1 MiB. */
bool http_get(const char *url, int timeout, struct bytes *body, const char **problem);

#endif
