/* $(NAME) in texts, as a kubelet expands it. */
#ifndef SPILLWAY_EXPAND_H
#define SPILLWAY_EXPAND_H

/* The value of the variable whose name is `length` bytes at `name`; NULL where it is unknown. */
typedef const char *lookup_function(const char *name, unsigned long length, const void *context);

/* The text with each $(NAME) that is known replaced and `$$` as `$`; an unknown $(NAME) stays. The caller frees it.
   https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/ */
char *expanded(const char *text, lookup_function *look_up, const void *context);

#endif
