/* cmocka with the headers that it wants before it. */
#ifndef FTL_TESTS_UNIT_H
#define FTL_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
