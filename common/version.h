/* version: the version that both programs print for --version. */
#ifndef VERSION_H
#define VERSION_H

#define VERSION "0.1.0"

#endif
