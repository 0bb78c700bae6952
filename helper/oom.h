/* Whether the kernel killed for want of memory in our container. */
#ifndef SPILLWAY_OOM_H
#define SPILLWAY_OOM_H

/* How many processes the kernel has killed in our control group for want of memory; 0 where it does not say. */
unsigned long oom_kills(void);

#endif
