/* fsGroup: a volume given to a group. */
#ifndef SPILLWAY_OWNERSHIP_H
#define SPILLWAY_OWNERSHIP_H

#include <stdbool.h>
#include <sys/types.h>

/* Give the folder and all in it to the group, as a kubelet does: u+rw,g+rw (ug+r where read-only), folders also
   ug+x and setgid. Symbolic links get the group alone. -1 and errno where it cannot. */
int give_to_group(int folder, gid_t gid, bool read_only);

#endif
