/*
 * What may still change between versions, in signature and in meaning. Conventions: foretell.h.
 */
#ifndef FORETELL_EXPERIMENTAL_H
#define FORETELL_EXPERIMENTAL_H

#include "foretell/foretell.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Receives bytes in order; return false to stop. */
typedef bool (*ftl_bytes_fn)(void *user, const void *data, size_t size);
/*
 * Writes a model as a file of foretell's own, which ftl_model_open and the programs read: what was
 * built from the original file, without what no method needs. It gives the same results to the bit.
 * The format changes between versions, and a file is refused by any other than the one that wrote
 * it: keep the original. UNSUPPORTED for models of open width (see ftl_model_with_inputs),
 * CANCELLED when write stops.
 */
FTL_API FTL_MUST_USE ftl_status ftl_model_write(const ftl_model *model, ftl_bytes_fn write,
                                                void *user, ftl_error *error);

/*
 * The graph of operations that a model became, as text: one line an operation, then its parameters,
 * of long arrays the first values and a checksum; then the outputs of each method. Two models of
 * one text give the same results.
 */
FTL_API FTL_MUST_USE ftl_status ftl_model_graph(const ftl_model *model, ftl_text_fn write,
                                                void *user, ftl_error *error);

/*
 * For "did you mean": how many letters must be inserted, removed, replaced or swapped with their
 * neighbours to make the known name of the typed one, in whatever case; SIZE_MAX when that is more
 * than a third of the shorter name (but for one), or a name has more than 64 bytes. Stateless.
 */
FTL_API size_t ftl_name_distance(const char *typed, const char *known);
/*
 * Which of n known names a typed one may be meant by: the first that is the same but for case,
 * spaces and punctuation, else the one at the least distance. NULL: none, or more than 1000 names,
 * which are not worth the search. known gives name i, or NULL where it is not to be suggested.
 */
typedef const char *(*ftl_known_name)(const void *user, size_t i);
FTL_API const char *ftl_name_nearest(const char *typed, ftl_known_name known, const void *user,
                                     size_t n);

/*
 * A decimal number such as 0.35 or 1e-3 as the nearest float64, whatever the locale; false for any
 * other text. inf and nan are numbers. Stateless.
 */
FTL_API bool ftl_number_parse(const char *text, double *out);

/*
 * The bytes at text[0..size), size > 0, that one line for people must not hold: 0 when a character
 * begins there that may be shown, and then *length is its length. Else how many bytes to replace:
 * control characters (C0, DEL, C1), line and paragraph separators, marks that turn the direction of
 * writing, lone surrogates, bytes that are no UTF-8. Stateless.
 */
FTL_API size_t ftl_utf8_unprintable(const char *text, size_t size, size_t *length);

#ifdef __cplusplus
}
#endif

#endif
