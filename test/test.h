/*
 * test: what every test program includes: cmocka, 1.1.5 or later, after the headers that it wants
 * to find included.
 */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The name since cmocka 2.0, where the old one is deprecated. */
#ifndef assert_int_in_range
#define assert_int_in_range assert_in_range
#endif

#endif
