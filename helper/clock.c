#include "clock.h"

#include <stdio.h>
#include <time.h>

static long long now_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

long long monotonic_now(void)
{
    return now_of(CLOCK_MONOTONIC);
}

long long wall_now(void)
{
    return now_of(CLOCK_REALTIME);
}

void write_timestamp(long long wall, char text[TIMESTAMP_SIZE])
{
    char whole[TIMESTAMP_SIZE];
    time_t seconds = (time_t)(wall / 1000);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, TIMESTAMP_SIZE, "%.20s.%03dZ", whole, (int)(wall % 1000));
}
