/* The exact end of number parsing: decides between two neighbouring doubles when 19 digits do not.
 */
#ifndef FTL_BASE_DECIMAL_H
#define FTL_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Rounds the decimal number to the nearest double, ties to even. text[0..size) holds the
 * significant digits, the first of them not zero, with at most one byte that is no digit (the
 * separator, skipped); the value is those digits read as an integer, times 10**exponent. below is
 * the largest double not above the value, or the one under it.
 */
double ftl_decimal_round(const char *text, size_t size, int64_t exponent, double below);

#endif
