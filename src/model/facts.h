/* What a validated graph tells about a model's columns. Stateless. */
#ifndef FTL_MODEL_FACTS_H
#define FTL_MODEL_FACTS_H

#include "model/ir.h"

/* Where an input column is looked up among categories. */
typedef struct ftl_category_place {
    const ftl_encode_column *encoded; /* NULL: nowhere */
    uint32_t op, column;              /* ONEHOT or ORDINAL, and which of its columns */
} ftl_category_place;

/*
 * out: [graph->n_inputs] for each input column the encoder that looks its values up as they are,
 * or with missing ones filled in. Of several encoders the first in the graph.
 */
void ftl_graph_categories(const ftl_graph *graph, ftl_category_place *out);
/* Whether category i is a value; the record of missing cells that are refused is none. */
static inline bool ftl_is_value(const ftl_encode_column *column, uint32_t i)
{
    return !column->codes || column->codes[i] != FTL_CODE_REFUSED;
}
/* Category i as a cell; numbers that are whole are INT, as they stand in most files. */
ftl_cell ftl_category_cell(const ftl_categories *categories, uint32_t i);
/*
 * out: [graph->n_inputs] whether a NaN in the column reaches, on the way to the method's outputs, a
 * check that refuses it. Steps that may swallow a NaN end the search. The graph need not be
 * validated yet. scratch: memory for the search.
 */
FTL_MUST_USE ftl_status ftl_graph_refused(const ftl_graph *graph, ftl_method method,
                                          ftl_arena *scratch, bool *out, ftl_error *error);
/* Whether there are rows that the op marks as bad, other than by what its sources hold. */
bool ftl_op_may_refuse(const ftl_op *op);
/* out: [graph->n_ops] whether the op's numbers are float32 for input of that type (F64 or F32). */
void ftl_graph_f32(const ftl_graph *graph, ftl_type input, bool *out);

#endif
