/* The command's environment. */
#ifndef SPILLWAY_ENVIRONMENT_H
#define SPILLWAY_ENVIRONMENT_H

#include "run_plan.h"

/* Remove our own variables, then set the plan's, in its order. Ends the program where a fact cannot be had. */
void set_variables(struct run_plan *plan);

/* The word, expanded with what the plan lets be known. */
char *expanded_word(const struct run_plan *plan, const char *word);

/* HOME as the runtime would have set it, had it started the command as this user. */
void set_home(const struct run_plan *plan, const struct identity *identity);

#endif
