/* Kubelet's back-off between the runs of a container: the first restart comes at once, each next one 10, 20, 40, …
   and at most 300 seconds after the end; a run of more than 600 seconds starts it anew.
   https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy */
#ifndef SPILLWAY_BACKOFF_H
#define SPILLWAY_BACKOFF_H

/* What the restart after the next waits. Zero-initialised before the first run. */
struct backoff {
    unsigned seconds;
};

/* Seconds from the end of a run to the next, after a run of so many milliseconds of which `second` are a second. */
unsigned next_delay(struct backoff *backoff, long long run_time, long long second);

#endif
