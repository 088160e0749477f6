/* version: the one place that has it. --version prints it, `make dist` and `make lint` read it. */
#ifndef VERSION_H
#define VERSION_H

#define VERSION "0.2.0"

#endif
