/*
 * Errors: a status code is returned, details go into the caller's ftl_error (which may be NULL).
 *
 * FTL_FAIL is a macro that ends in its visible constant code, so that the compiler knows that the
 * path fails and does not warn about out parameters that stay unset.
 */
#ifndef FTL_BASE_STATUS_H
#define FTL_BASE_STATUS_H

#include "foretell/foretell.h"

#define FTL_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Fills error (when not NULL) with positions -1 and an empty path. */
void ftl_error_set(ftl_error *error, ftl_status code, const char *format, ...) FTL_PRINTF(3, 4);
/* Sets the byte offset unless one is set. */
void ftl_error_at(ftl_error *error, int64_t offset);
/* Sets the dotted path unless one is set. */
void ftl_error_in(ftl_error *error, const char *path);
/* Puts a component in front of the path: "a" before "b" gives "a.b", before "[1]" gives "a[1]". */
void ftl_error_prefix(ftl_error *error, const char *format, ...) FTL_PRINTF(2, 3);
/* Sets the reason and the options' field, which may be NULL. */
void ftl_error_because(ftl_error *error, ftl_reason reason, const char *option);
void ftl_error_clear(ftl_error *error);

/* return FTL_FAIL(error, FTL_CORRUPT, "…"); */
#define FTL_FAIL(error, code, ...) (ftl_error_set((error), (code), __VA_ARGS__), (code))
#define FTL_FAIL_AT(error, code, offset_, ...) \
    (ftl_error_set((error), (code), __VA_ARGS__), ftl_error_at((error), (int64_t)(offset_)), (code))
/* return FTL_FAIL_BECAUSE(error, FTL_SCHEMA, FTL_REASON_NO_HEADER, "…"); */
#define FTL_FAIL_BECAUSE(error, code, reason_, ...)                                            \
    (ftl_error_set((error), (code), __VA_ARGS__), ftl_error_because((error), (reason_), NULL), \
     (code))
/*
 * The same with the field of an options struct, which the message calls options.FIELD. What a row's
 * message says of it stands behind its last semicolon.
 */
#define FTL_FAIL_OPTION(error, code, reason_, option_, ...) \
    (ftl_error_set((error), (code), __VA_ARGS__),           \
     ftl_error_because((error), (reason_), (option_)), (code))
#define FTL_OOM(error) FTL_FAIL((error), FTL_NOMEM, "out of memory")

#define FTL_TRY(expression)                          \
    do {                                             \
        ftl_status ftl_try_ = (expression);          \
        if (__builtin_expect(ftl_try_ != FTL_OK, 0)) \
            return ftl_try_;                         \
    } while (0)

#define FTL_LIKELY(x) __builtin_expect(!!(x), 1)
#define FTL_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define FTL_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
