/* `install`: puts the helper, the files of a plan and the groups of volumes in place. */
#ifndef SPILLWAY_INSTALL_H
#define SPILLWAY_INSTALL_H

int install(void);

#endif
