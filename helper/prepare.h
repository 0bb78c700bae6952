/* What is done once around a command, before its first run. */
#ifndef SPILLWAY_PREPARE_H
#define SPILLWAY_PREPARE_H

#include "child.h"
#include "run_plan.h"

/* Carry out the plan as the starting user: variables, files, hosts, resolver, working folder. `command` is expanded
   where the plan says so, `setting` becomes what children run in. Ends the program where a step fails. */
void prepare(struct run_plan *plan, struct words *command, struct setting *setting);

/* For a command beside it, as `kubectl exec` runs one: its variables, user and working folder, from the plan in our own
   environment. */
void prepare_beside(struct setting *setting);

#endif
