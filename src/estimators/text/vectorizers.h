/* What the text vectorizers are made of. */
#ifndef FTL_ESTIMATORS_TEXT_VECTORIZERS_H
#define FTL_ESTIMATORS_TEXT_VECTORIZERS_H

#include "build/build.h"

extern const uint32_t ftl_english_stop_word_count;
extern const char ftl_english_stop_words[];

/* A regular expression of Python's re module, as far as foretell can say the same. */
typedef struct ftl_token_pattern {
    uint32_t min_token;  /* > 0: runs of at least so many word characters, no expression needed */
    const char *pattern; /* otherwise: Python's own */
} ftl_token_pattern;

/*
 * Reads token_pattern. UNSUPPORTED, naming the construct, where PCRE2 would match otherwise or
 * not at all; also when PCRE2 cannot compile it.
 */
FTL_MUST_USE ftl_status ftl_token_pattern_read(ftl_build *build, const ftl_estimator *e,
                                               ftl_token_pattern *out, ftl_error *error);

#endif
