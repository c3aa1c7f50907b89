/*
 * A model as stand-alone C: what the files c_*.c share. An operation becomes a function of one row,
 * named PREFIX_op<number>, which reads the arrays of its sources and writes its own; a method is a
 * function that calls those that it depends on, in order. Sums have the order that plan/ gives
 * them, so that results are the same to the bit.
 *
 * Generated names: v<number> is the array of an operation, row the caller's row.
 */
#ifndef FTL_CODEGEN_C_CODE_H
#define FTL_CODEGEN_C_CODE_H

#include "base/arena.h"
#include "codegen/target.h"

/* What generated code says of a row that it refuses; PREFIX_error has the texts. */
typedef enum ftl_c_reason {
    FTL_C_MISSING = 1,
    FTL_C_INFINITE,
    FTL_C_TOO_LARGE,
    FTL_C_UNKNOWN,
    FTL_C_NO_NUMBER,
    FTL_C_REFUSED,
    FTL_C_REASON_COUNT
} ftl_c_reason;

/* Functions that generated code has where something calls them: bits of ftl_c_code.uses. */
enum {
    FTL_C_EXP_F64 = 1 << 0,
    FTL_C_TANH_F64 = 1 << 1,
    FTL_C_LOGISTIC_F64 = 1 << 2,
    FTL_C_EXP_F32 = 1 << 3,
    FTL_C_TANH_F32 = 1 << 4,
    FTL_C_LOGISTIC_F32 = 1 << 5,
    FTL_C_FIND_TEXT = 1 << 6,
    FTL_C_FIND_NUMBER = 1 << 7,
    FTL_C_CELLS = 1 << 8,   /* the type of a cell */
    FTL_C_OF_TEXT = 1 << 9, /* cells of texts, and of numbers */
    FTL_C_OF_NUMBER = 1 << 10,
    FTL_C_TEXT_NUMBER = 1 << 11, /* a text as a number */
    FTL_C_CELL_NUMBER = 1 << 12, /* needs the one before */
    FTL_C_DOT_F64 = 1 << 13,
    FTL_C_DOT_F32 = 1 << 14,
    FTL_C_GAUSSIAN = 1 << 15,
    FTL_C_ABS_SUM_F64 = 1 << 16,
    FTL_C_ABS_SUM_F32 = 1 << 17,
    FTL_C_NORMAL = 1 << 18, /* quantiles of the normal distribution */
    FTL_C_RANKS = 1 << 19,  /* ranks among quantiles */
    FTL_C_CUTS8 = 1 << 20,  /* cuts of trees, with codes of one byte and of two */
    FTL_C_CUTS16 = 1 << 21,
    FTL_C_SAME_CELL = 1 << 22, /* needs FTL_C_TEXT_NUMBER */
    FTL_C_LINE_F64 = 1 << 23,  /* lines between points */
    FTL_C_LINE_F32 = 1 << 24,
    FTL_C_MEDIAN = 1 << 25,
    FTL_C_BELOW_F64 = 1 << 26, /* codes of values, by sixteen thresholds at a time */
    FTL_C_BELOW_F32 = 1 << 27,
    FTL_C_ROW_LANES = 1 << 28, /* a row through 64 trees at once */
    FTL_C_LEVELS = 1 << 29     /* levels of oblivious trees */
};

typedef struct ftl_c_op {
    uint32_t methods; /* bit set: those that need it; 0: it is not written */
    bool is_f32;      /* NUM edges */
    uint32_t width;   /* of its array; CODED: source columns */
    uint32_t slot;    /* the operation whose array it shares: itself but for checks */
    void *state;      /* check's, for the writer's other functions */
    size_t stack;     /* bytes that its function needs beside its array */
    bool fails;       /* its function returns a code */
    uint32_t block;   /* rows that its block function takes at most; 0: it has none */
} ftl_c_op;

typedef struct ftl_c_code {
    const ftl_generate_request *request;
    const ftl_graph *graph;
    const char *prefix;
    char upper[64]; /* the prefix in capitals, for macros */
    ftl_emitter *out;
    ftl_arena arena;
    ftl_c_op *ops; /* [graph->n_ops] */
    bool cells;    /* rows are structs with a member a column, else arrays of numbers */
    const char *const *members; /* [graph->n_inputs] their names, with cells */
    uint32_t uses;
    bool failed; /* no memory while writing */
} ftl_c_code;

/* How an operation is written. */
typedef struct ftl_c_writer {
    /* Which functions it calls, or why it cannot be written: UNSUPPORTED. NULL: nothing to say. */
    ftl_status (*check)(ftl_c_code *code, uint32_t id, ftl_error *error);
    /* Its tables and whatever else stands before its function; NULL: none. */
    void (*tables)(ftl_c_code *code, uint32_t id);
    void (*body)(ftl_c_code *code, uint32_t id);
    /* A function PREFIX_op<id>_block(x, out, n) of rows that lie behind one another. NULL: none. */
    void (*block)(ftl_c_code *code, uint32_t id);
    bool fails; /* its function returns an int: 0, or what PREFIX_error tells; check may say no */
} ftl_c_writer;

/* NULL for operations that stand-alone code does not have, and for INPUT. */
const ftl_c_writer *ftl_c_writer_of(const ftl_op *op);
extern const ftl_c_writer ftl_c_affine, ftl_c_binarize, ftl_c_bins, ftl_c_cast, ftl_c_check,
    ftl_c_combine, ftl_c_constant, ftl_c_decide, ftl_c_domain, ftl_c_fill, ftl_c_gather,
    ftl_c_gather_object, ftl_c_gaussian, ftl_c_impute, ftl_c_impute_object, ftl_c_indicator,
    ftl_c_interpolate, ftl_c_linear, ftl_c_link, ftl_c_match, ftl_c_normalize, ftl_c_oblivious,
    ftl_c_onehot, ftl_c_ordinal, ftl_c_polynomial, ftl_c_power, ftl_c_quantiles, ftl_c_tree_apply,
    ftl_c_trees, ftl_c_ufunc, ftl_c_vote, ftl_c_add, ftl_c_domain_object, ftl_c_median,
    ftl_c_distances, ftl_c_gather_stored;

/* ---- Of the graph ---------------------------------------------------------------------------- */

static inline const ftl_op *ftl_c_op_at(const ftl_c_code *code, uint32_t id)
{
    return &code->graph->ops[id];
}
/* "float" or "double" */
static inline const char *ftl_c_real(const ftl_c_code *code, uint32_t id)
{
    return code->ops[id].is_f32 ? "float" : "double";
}
static inline bool ftl_c_is_input(const ftl_op *op) { return op->kind == FTL_OP_INPUT; }
/* The operation of the single source of MATRIX and DENSE_OR_SPARSE ones, and its array's number. */
static inline uint32_t ftl_c_source(const ftl_c_code *code, uint32_t id)
{
    return ftl_c_op_at(code, id)->segments[0].op;
}
static inline uint32_t ftl_c_source_slot(const ftl_c_code *code, uint32_t id)
{
    return code->ops[ftl_c_source(code, id)].slot;
}
/* The input column that a column of an operation holds, changed or not; -1: several, or none. */
int64_t ftl_c_origin(const ftl_graph *graph, uint32_t id, uint32_t column);
/* Calls visit for each source column in order: number i is a column of the operation `from`. */
typedef void ftl_c_visit_fn(ftl_c_code *code, uint32_t id, uint32_t i, uint32_t from,
                            uint32_t column);
void ftl_c_each_source(ftl_c_code *code, uint32_t id, ftl_c_visit_fn *visit);

/* ---- Text ------------------------------------------------------------------------------------ */

/* Text in which $ stands for the prefix, and nothing else is replaced. */
void ftl_c_text(ftl_c_code *code, const char *text);
/* static const TYPE PREFIX_op<id>_<name>[n] = {…}; an empty array gets one zero. */
void ftl_c_array_f64(ftl_c_code *code, uint32_t id, const char *name, const double *values,
                     size_t n);
void ftl_c_array_f32(ftl_c_code *code, uint32_t id, const char *name, const double *values,
                     size_t n);
/* In the type of the operation's edge, to which the values are rounded. */
void ftl_c_array_real(ftl_c_code *code, uint32_t id, const char *name, const double *values,
                      size_t n);
void ftl_c_array_u32(ftl_c_code *code, uint32_t id, const char *name, const uint32_t *values,
                     size_t n);
/* type: of C, such as "signed char" */
void ftl_c_array_int(ftl_c_code *code, uint32_t id, const char *type, const char *name,
                     const int64_t *values, size_t n);
/* The start and the end of an array whose elements the caller writes. */
void ftl_c_array_begin(ftl_c_code *code, uint32_t id, const char *type, const char *name, size_t n);
void ftl_c_array_next(ftl_c_code *code, size_t i); /* before element i: a comma, a new line */
void ftl_c_array_end(ftl_c_code *code);

/*
 * An expression for a column of an operation as a double, or as a float where narrow. The columns
 * of cells (ftl_c_is_cell) have none.
 */
void ftl_c_number(ftl_c_code *code, uint32_t from, uint32_t column, bool narrow);
/* Whether a column is a cell, which may be no number. */
bool ftl_c_is_cell(const ftl_c_code *code, uint32_t from);
/*
 * Statements that set x, a variable of type double, to a column's number; they return where it is
 * none. A variable c of type PREFIX_cell is there where the source is an OBJECT edge.
 */
void ftl_c_set_number(ftl_c_code *code, uint32_t from, uint32_t column, const char *x);
/*
 * What ftl_c_cell, or ftl_c_set_number with number, calls for the columns of all sources; for
 * check.
 */
void ftl_c_use_cells(ftl_c_code *code, uint32_t id, bool number);
void ftl_c_use_cell(ftl_c_code *code, uint32_t from, bool number); /* of one operation */
/* An expression of type PREFIX_cell, for any column. */
void ftl_c_cell(ftl_c_code *code, uint32_t from, uint32_t column);
/* return …; for a column of an operation */
void ftl_c_refuse(ftl_c_code *code, uint32_t from, uint32_t column, ftl_c_reason reason);
/* The same for column i of the loop at hand: of a whole matrix, whose table ftl_c_origins wrote. */
void ftl_c_origins(ftl_c_code *code, uint32_t id);
void ftl_c_refuse_loop(ftl_c_code *code, uint32_t id, ftl_c_reason reason);
/* A category, a fill or another cell as a constant; NaN numbers are missing ones. */
void ftl_c_cell_constant(ftl_c_code *code, const ftl_cell *cell);

/* An UNSUPPORTED error that names the operation's place in the model. */
ftl_status ftl_c_unsupported(const ftl_op *op, const char *what, ftl_error *error);

/* ---- Parts of the file ----------------------------------------------------------------------- */

/* Chooses a member's name for each column, unique and no word of C or C++. */
FTL_MUST_USE ftl_status ftl_c_name_members(ftl_c_code *code, ftl_error *error);
void ftl_c_write_head(ftl_c_code *code);      /* the comment, includes, types */
void ftl_c_write_functions(ftl_c_code *code); /* what uses asks for */
void ftl_c_write_vectors(ftl_c_code *code);   /* of those, what works on many rows or trees */
void ftl_c_write_op(ftl_c_code *code, uint32_t id);
/* int for classes and their like, long long, float or double */
const char *ftl_c_result_type(const ftl_c_code *code, ftl_method method);
/* How far one row lies behind another, in elements of PREFIX_row: numbers, or a struct a row. */
static inline size_t ftl_c_row_step(const ftl_c_code *code)
{
    return code->cells ? 1 : code->graph->n_inputs;
}
void ftl_c_write_method(ftl_c_code *code, ftl_method method);
void ftl_c_declare_classes(ftl_c_code *code);
void ftl_c_write_classes(ftl_c_code *code);
void ftl_c_write_errors(ftl_c_code *code);
void ftl_c_write_main(ftl_c_code *code);

#endif
