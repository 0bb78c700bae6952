#include "backoff.h"

enum { FIRST = 10, MOST = 300, FORGOTTEN = 600 };

unsigned next_delay(struct backoff *backoff, long long run_time, long long second)
{
    if (backoff->seconds == 0 || run_time > FORGOTTEN * second) {
        backoff->seconds = FIRST;
        return 0;
    }
    unsigned delay = backoff->seconds;
    backoff->seconds = delay * 2 < MOST ? delay * 2 : MOST;
    return delay;
}
