/*
 * Regular expressions from model files, run by PCRE2 under limits: no code is generated for them
 * (no JIT), and the steps, the depth and the memory of a match are bounded. Memory is charged to an
 * account. Without PCRE2 (FTL_WITH_PCRE2=OFF) compiling is UNSUPPORTED.
 */
#ifndef FTL_BASE_REGEX_H
#define FTL_BASE_REGEX_H

#include "base/alloc.h"

typedef struct ftl_regex ftl_regex;

/*
 * pattern is PCRE2's syntax on UTF-8, with Unicode classes. An ftl_regex belongs to one thread.
 * UNSUPPORTED with PCRE2's words when it does not compile.
 */
FTL_MUST_USE ftl_status ftl_regex_create(ftl_account *account, const char *pattern, ftl_regex **out,
                                         ftl_error *error);
/*
 * Whether \w is a letter, a number or _ and \b goes by it, as in Python: PCRE2 counts combining
 * marks and connectors among the words from 10.43 on.
 */
bool ftl_regex_words_are_plain(void);
void ftl_regex_destroy(ftl_regex *regex); /* NULL is allowed */

/*
 * Gives the steps that all matches in one text of `size` bytes may take together. An ftl_regex
 * begins with those of a short text.
 */
void ftl_regex_begin(ftl_regex *regex, size_t size);
/*
 * The next match in text[0..size) (valid UTF-8) at or behind from; nonempty_at_from: an empty match
 * at from itself does not count. Returns 1 and what matched (group 0), 0 when there is none, -1
 * when the limits were reached, -2 when memory ran out. group: 0 or 1; a group 1 that took no part
 * is empty.
 */
int ftl_regex_next(ftl_regex *regex, const char *text, size_t size, size_t from,
                   bool nonempty_at_from, unsigned group, size_t whole[2], size_t part[2]);

#endif
