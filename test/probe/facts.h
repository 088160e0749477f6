/* facts: what only one system has to tell. facts_posix.c and facts_win32.c implement it. */
#ifndef FACTS_H
#define FACTS_H

/* Prints facts as fact() does. */
void facts_of_system(void);

/* Prints one line: a name, and what was found. */
__attribute__((format(printf, 2, 3))) void fact(const char *name, const char *format, ...);

#endif
