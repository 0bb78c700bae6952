/* Where things are and how long a second is; tests move both by the environment. */
#ifndef SPILLWAY_PLACES_H
#define SPILLWAY_PLACES_H

/* Read the environment, once and before anything else asks. */
void find_places(void);

/* `/spillway`, or $SPILLWAY_ROOT. */
const char *spillway_root(void);

/* The folder of the records. The caller frees it. */
char *records_folder(void);

/* `/etc/NAME`, or $SPILLWAY_RUN_ETC/NAME. The caller frees it. */
char *etc_file(const char *name);

/* `/sys/fs/cgroup/NAME`, or $SPILLWAY_RUN_CGROUP/NAME. The caller frees it. */
char *cgroup_file(const char *name);

/* Milliseconds of a second: 1000, or $SPILLWAY_RUN_SECOND. */
long long second(void);

#endif
