/* The command's environment. */
#ifndef SPILLWAY_ENVIRONMENT_H
#define SPILLWAY_ENVIRONMENT_H

#include "run_plan.h"

/* Set the plan's variables, in its order. Ends the program where a fact cannot be had. */
void set_variables(struct run_plan *plan);

/* The word, expanded with what the plan lets be known. */
char *expanded_word(const struct run_plan *plan, const char *word);

/* Our own variables are none of the command's; what is expanded with them has to be expanded before. */
void remove_our_variables(void);

/* HOME as the runtime would have set it, had it started the command as this user. */
void set_home(const struct run_plan *plan, const struct identity *identity);

#endif
