/* The terminal that an exec session has: its modes, and the marks that tell the far side where it stands. */
#ifndef SPILLWAY_TERMINAL_H
#define SPILLWAY_TERMINAL_H

/* Remember how standard input's terminal is set, and make it raw: no echo, no line limit, no signals, no changed line
   ends. Ends the program where it is no terminal. */
void make_raw(void);

/* As it was before. */
void restore_terminal(void);

/* Write "NONCE:CODE.", with no line end. */
void write_mark(const char *nonce, int code);

#endif
