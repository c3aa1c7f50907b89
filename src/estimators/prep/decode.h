/* From the numbers that encoders give back to what they stand for. */
#ifndef FTL_ESTIMATORS_PREP_DECODE_H
#define FTL_ESTIMATORS_PREP_DECODE_H

#include "build/build.h"

/* What the numbers of a column stand for; built with ftl_decoding_add. */
typedef struct ftl_decoding {
    ftl_cell *cells; /* [n_cells] */
    double *numbers; /* [n] each once; NaN is a number */
    double *indices; /* [n] into cells */
    uint32_t n_cells, n, room;
} ftl_decoding;

/* Room for so many numbers and cells, in the build's memory. */
FTL_MUST_USE ftl_status ftl_decoding_new(ftl_build *build, size_t room, ftl_decoding *out,
                                         ftl_error *error);
/* Another cell; its index. */
uint32_t ftl_decoding_cell(ftl_decoding *decoding, ftl_cell cell);
/* number stands for cells[index], unless it stands for something already. */
void ftl_decoding_number(ftl_decoding *decoding, double number, uint32_t index);
/*
 * Columns of `in` as labels: [in->n_columns] decodings, names of the outputs (kept). A number that
 * stands for nothing is refused. as_float: integers among the cells are shown as floats, as a numpy
 * array shows them where another of its columns has fractions.
 */
FTL_MUST_USE ftl_status ftl_emit_decoding(ftl_build *build, const ftl_estimator *e,
                                          const ftl_frame *in, const ftl_decoding *decodings,
                                          const char *const *names, bool as_float, ftl_frame *out,
                                          ftl_error *error);
/* Whether numpy's common type of the columns' cells is a float: all are numbers, some fractions. */
bool ftl_decodings_are_float(const ftl_decoding *decodings, uint32_t n);

#endif
