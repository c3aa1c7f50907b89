/*
 * The IR: a directed acyclic graph of operations over blocks of rows. Front ends (estimators/,
 * formats/) emit operations and never compute; plan/ turns a validated graph into an executable
 * plan.
 *
 * Every operation has one output edge and reads columns of earlier operations, so the order of the
 * array is a topological order and cycles cannot be written down. Only ftl_graph_validate makes a
 * graph usable; after it every index is in range.
 *
 * Edge kinds
 *   NUM     dense float matrix, row-major; float32 or float64 is decided by the plan from the
 *           input's dtype (dtype rules)
 *   CODED   per source column a category index in [0, cardinality) or -1 for "no column set": what
 *           a one-hot encoder yields. Its width is the sum of cardinalities; linear operations
 *           consume it without materialising it
 *   OBJECT  cells (ftl_cell): text, numbers or missing
 *   SPARSE  a matrix of mostly zeros, row by row: the counts of a text's words. As wide as a
 *           vocabulary, and never materialised where a linear operation consumes it
 * Integers and booleans travel in NUM edges as exact float64 values; a column's `as` says how it is
 * shown.
 */
#ifndef FTL_MODEL_IR_H
#define FTL_MODEL_IR_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "model/ir_params.h"

typedef enum ftl_edge_kind {
    FTL_EDGE_NUM,
    FTL_EDGE_CODED,
    FTL_EDGE_OBJECT,
    FTL_EDGE_SPARSE
} ftl_edge_kind;

/* How the float type of a NUM edge follows from its sources. */
typedef enum ftl_dtype_rule {
    FTL_DTYPE_SAME, /* numpy promotion of the sources: float32 only when all are */
    FTL_DTYPE_F32,
    FTL_DTYPE_F64
} ftl_dtype_rule;

/* One a line of ops/ops.def, which says what each does. */
typedef enum ftl_op_kind {
#define OP(kind, ...) FTL_OP_##kind,
#include "model/ops/ops.def"
#undef OP
    FTL_OP_KIND_COUNT
} ftl_op_kind;

/* Consecutive columns of an earlier operation. CODED columns count expanded. */
typedef struct ftl_segment {
    uint32_t op;
    uint32_t first;
    uint32_t count;
} ftl_segment;

typedef struct ftl_op {
    ftl_op_kind kind;
    ftl_edge_kind edge;
    ftl_dtype_rule dtype; /* NUM edges */
    uint32_t width;       /* columns; CODED: expanded */
    uint32_t n_segments;
    const ftl_segment *segments;
    const char *path; /* dotted path of the estimator that emitted it, for messages; never NULL */
    union {
#define PARAMETERS(type, member) type member;
#include "model/ops/records.def"
    } u; /* ONEHOT and ORDINAL: encode */
} ftl_op;

/* ---- Outputs --------------------------------------------------------------------------------- */

/* Class labels or other values that an index stands for. */
typedef struct ftl_labels {
    ftl_type type; /* F64, I64, BOOL or STRING: what is shown */
    uint32_t count;
    const ftl_cell *cells; /* [count]: INT for I64, BOOL, FLOAT, STRING */
    const char *dtype; /* numpy's, of the array that they are from: "int32", "<U3"; NULL: none */
} ftl_labels;

typedef enum ftl_as { FTL_AS_FLOAT, FTL_AS_INT, FTL_AS_BOOL, FTL_AS_LABEL, FTL_AS_CELL } ftl_as;

typedef struct ftl_output {
    const char *name;
    uint32_t op, column;
    ftl_as as;
    const ftl_labels *labels; /* AS_LABEL */
} ftl_output;

typedef struct ftl_method_outputs {
    size_t count; /* 0: the model lacks the method */
    const ftl_output *outputs;
    bool matrix; /* of one column: the library's own result has two dimensions all the same */
} ftl_method_outputs;

typedef struct ftl_graph {
    size_t n_ops;
    ftl_op *ops;
    size_t n_inputs; /* schema columns */
    ftl_method_outputs methods[FTL_METHOD_COUNT];
} ftl_graph;

/* What is shown; floats are F64 here, and F32 where a plan computes them so. */
ftl_type ftl_output_type(const ftl_output *output);
const char *ftl_op_name(ftl_op_kind kind);
/*
 * Whether the op's numbers are float32, by numpy's promotion: a NUM edge is so only when every
 * source is, unless its rule says otherwise. input: F64 or F32, the
 * model's numeric input; first, sources: the first source is float32, all are, which cells are not.
 */
bool ftl_op_is_f32(const ftl_op *op, ftl_type input, bool first, bool sources);
/* Whether steps of this kind work in the float type of their source, which they may not change. */
bool ftl_op_keeps_dtype(ftl_op_kind kind);
/* Whether their float type is that of their first source, whatever the others' are. */
bool ftl_op_follows_first(ftl_op_kind kind);
uint32_t ftl_op_source_columns(const ftl_op *op); /* sum of segment counts */

/*
 * Proves every index, width and acyclicity; INTERNAL or CORRUPT with the op's path otherwise.
 * scratch: freed by the caller.
 */
FTL_MUST_USE ftl_status ftl_graph_validate(const ftl_graph *graph, ftl_account *scratch,
                                           ftl_error *error);
/*
 * Checks one tree array, whose arrays are as long as described (the part for TREES): children in
 * range, used once, features below n_features.
 */
FTL_MUST_USE ftl_status ftl_tree_nodes_validate(const ftl_tree_nodes *nodes, uint32_t n_features,
                                                ftl_account *scratch, ftl_error *error);

/*
 * One line an op, such as "%3 = linear num:f64[3] <- %2[0:28]  # path", its parameters below it by
 * their description, then the outputs of the methods. The graph is validated.
 */
void ftl_graph_dump(const ftl_graph *graph, ftl_strbuf *out);

#endif
