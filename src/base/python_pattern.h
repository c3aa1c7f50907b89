/*
 * Regular expressions of Python's re, as far as PCRE2 can say the same. Models keep Python's
 * pattern; whoever runs one translates it for the PCRE2 at hand.
 */
#ifndef FTL_BASE_PYTHON_PATTERN_H
#define FTL_BASE_PYTHON_PATTERN_H

#include "base/arena.h"
#include "base/strbuf.h"

/*
 * > 0: the pattern matches runs of at least so many word characters, and needs no regular
 * expression; 0: another pattern.
 */
uint32_t ftl_python_pattern_run(const char *pattern);

/*
 * *out: PCRE2's syntax, in the arena; *capture: the pattern has a group, which is the token.
 * UNSUPPORTED, naming the construct, where PCRE2 would match otherwise or not at all.
 */
FTL_MUST_USE ftl_status ftl_python_pattern_translate(ftl_arena *arena, const char *pattern,
                                                     const char **out, bool *capture,
                                                     ftl_error *error);

#endif
