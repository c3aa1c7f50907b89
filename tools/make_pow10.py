#!/usr/bin/env python3
"""Writes src/base/pow10_table.h: 128-bit significands of the powers of ten that number parsing and printing use.

Entry q holds the upper 128 bits of 10**q, normalised so that the topmost bit is set. Powers are truncated, except that
-27 <= q < 0 is rounded up: there an exact tie is possible and a truncated reciprocal would fall just below it.

    python3 tools/make_pow10.py > src/base/pow10_table.h
"""

LOWEST, HIGHEST = -342, 324
FIRST_ROUNDED_UP = -27


def significand(q):
    if q >= 0:
        value = 10**q
        bits = value.bit_length()
        return value << (128 - bits) if bits <= 128 else value >> (bits - 128)
    power = 10**-q
    # floor(2**k / power) with exactly 128 bits
    k = 127 + power.bit_length()
    value = (1 << k) // power
    if value.bit_length() > 128:
        value >>= 1
    elif value.bit_length() < 128:
        value = (1 << (k + 1)) // power
    assert value.bit_length() == 128
    return value + 1 if q >= FIRST_ROUNDED_UP else value


def main():
    print("/* Made by tools/make_pow10.py; do not edit. Included by pow10.c alone. */")
    print("/* clang-format off */")
    for q in range(LOWEST, HIGHEST + 1):
        value = significand(q)
        print(f"{{0x{value >> 64:016x}, 0x{value & (2**64 - 1):016x}}}, /* 1e{q} */")


main()
