/*
 * A plan is a validated graph made executable for one input dtype and a set of methods: a list of
 * steps in order, each with a compiled state and a slot in the workspace. A plan is immutable; an
 * ftl_exec is one thread's workspace for it.
 *
 * A plan is made in two parts. Compiling turns the graph into steps and their states, which are
 * pieces of a blob (blob.h): memory without functions that can be written as bytes and opened
 * again. Binding finds the functions that run the steps in this process. Running reads the blob
 * alone, never the graph.
 *
 * An operation kind is one file op_<kind>.c with an ftl_op_impl, which ops.c finds by its name.
 * run() runs per block, allocates nothing and cannot fail: rows that the library would refuse are
 * marked with ftl_exec_bad. Sparse edges and text are the exception: their buffers grow with what a
 * block holds, under the exec's account, and a step that gets no more memory ends the run with
 * ftl_exec_fail.
 */
#ifndef FTL_PLAN_PLAN_H
#define FTL_PLAN_PLAN_H

#include "kernels/kernels.h"
#include "model/describe.h"
#include "model/model.h"
#include "plan/blob.h"

#include <stddef.h>
#include <string.h>

typedef struct ftl_step ftl_step;
typedef struct ftl_exec ftl_exec;

typedef void ftl_run_fn(const ftl_step *step, ftl_exec *exec);

/* The functions of a step in this process. */
typedef struct ftl_step_functions {
    ftl_run_fn *run; /* NULL: nothing to do per block */
    /* What the step keeps in each exec: buffers that grow, a matcher. NULL: nothing. */
    ftl_status (*open)(const ftl_step *step, ftl_account *account, void **local, ftl_error *error);
    void (*close)(ftl_account *account, void *local);
} ftl_step_functions;

typedef struct ftl_op_impl {
    const char *name;
    /*
     * Sets step->state (pieces of plan->blob), is_f32 where the operation decides it, and scratch
     * sizes. step->op has all parameters. NULL: nothing to compile.
     */
    ftl_status (*compile)(ftl_plan *plan, ftl_step *step, ftl_error *error);
    /*
     * op is the step's own copy of its operation, after compiling: registers the arrays that
     * running reads (ftl_blob_borrow and the like) and sets every other pointer in op->u to NULL.
     * NULL: the parameters hold no pointers. A lack of memory shows in blob->failed.
     */
    void (*keep)(ftl_blob *blob, const ftl_step *step, ftl_op *op);
    /* Chooses the functions of a compiled step. */
    void (*bind)(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out);
} ftl_op_impl;

extern const ftl_op_impl *const ftl_op_impls[FTL_OP_KIND_COUNT];

/*
 * How a NUM edge lies in its slot; the plan chooses. BATCH: as the batch came. Blocks of a batch of
 * columns are columns too, each of as many elements as the block has rows, so that nothing is
 * turned into rows to be taken apart again, and so are those of a column-major matrix; other
 * matrices, and blocks of a few rows, are rows.
 */
typedef enum ftl_layout { FTL_LAYOUT_ROWS, FTL_LAYOUT_BATCH } ftl_layout;

/* A record of the blob. */
struct ftl_step {
    const ftl_op *op; /* the step's own copy; NULL when it is never run */
    uint32_t id;      /* of the op */
    uint32_t methods; /* bit set: the wanted methods whose outputs depend on it; 0: never run */
    bool is_f32;      /* NUM edges: the slot holds float, else double */
    /* elements a row: op->width; CODED: source columns (int32); OBJECT: cells */
    uint32_t slot_width;
    uint32_t alias_of;     /* UINT32_MAX, or the step whose slot this one shares (CHECK) */
    size_t slot_row_bytes; /* 0: no slot of its own */
    void *state;           /* compile's */
    /*
     * Bytes that run wants: fixed ones, and some for each row of the exec's capacity, but for
     * scratch_rows rows at most where that is not 0. Rows count in multiples of 64.
     */
    size_t scratch_fixed, scratch_per_row;
    uint32_t scratch_rows;
    /*
     * Set by compile where they hold: run can write the step's matrix by columns; run can read its
     * source's so. Both: where all that read it can, it lies as its source does.
     */
    bool writes_columns, reads_columns;
    ftl_layout layout;
};

/*
 * The rows of a SPARSE edge: row i has entries start[i] .. start[i + 1), columns ascending. Values
 * of an edge that is float32 are float32 numbers.
 */
typedef struct ftl_sparse {
    uint32_t *start; /* [capacity + 1] */
    uint32_t *columns;
    double *values;
    size_t columns_room, values_room;
} ftl_sparse;

/* The first record of a plan's blob. */
typedef struct ftl_plan_image {
    uint32_t input_dtype, methods, block_rows, unused;
    uint64_t n_steps;
    ftl_step *steps;
} ftl_plan_image;

typedef struct ftl_running {
    const ftl_step *step;
    ftl_run_fn *run;
} ftl_running;

struct ftl_plan {
    const ftl_model *model;
    ftl_account account;         /* of the plan itself */
    ftl_account session_account; /* of its sessions */
    ftl_blob blob;               /* of a plan that was compiled here */
    ftl_blob_view view;          /* of one that was opened */
    /* While compiling; and there the ensembles packed so far (tree_layout.c). */
    ftl_arena scratch;
    struct ftl_shared_trees *shared_trees;
    ftl_type input_dtype; /* F64 or F32 */
    uint32_t methods;     /* bit set */
    size_t n_steps;       /* = graph.n_ops */
    ftl_step *steps;
    ftl_step_functions *functions; /* [n_steps] */
    const ftl_kernels *kernels;    /* of this processor */
    /* The steps that have something to run, in order: most of a wide model's are inputs, which do
     * not. */
    size_t n_running;
    ftl_running *running;
    uint32_t block_rows; /* most rows of a block */
    /* The engine's: how many hold the plan, sessions included, and the sessions that wait. */
    atomic_uint holders;
    struct ftl_session_pool *pool;
};

/*
 * One thread's workspace. It has room for as many rows as the largest block that it has seen, so
 * that a server's single rows cost a few kilobytes; room grows in a few steps and never shrinks.
 */
struct ftl_exec {
    const ftl_plan *plan;
    uint32_t capacity; /* rows that there is room for, <= plan->block_rows */
    void *allocation;
    /*
     * [n_steps] 64-byte aligned, NULL where a step has none; of a step that shows the batch's
     * matrix itself, in the block at hand: where that lies, aligned as its numbers are
     */
    void **slots;
    void **rooms;   /* [n_steps] the exec's own slots: 64-byte aligned, or NULL */
    void **scratch; /* [n_steps] the same */
    uint32_t rows;  /* of this block, <= capacity */
    const ftl_batch *in;
    size_t in_row; /* first row of the block in `in` */
    bool columns;  /* edges of layout BATCH lie by columns in this block */
    uint8_t *bad;  /* [capacity] 1 = the library refuses the row */
    uint32_t n_bad;
    uint32_t first_bad; /* row of the lowest-numbered bad row, described by bad_error */
    ftl_error bad_error;
    ftl_account *account; /* what grows is charged to it */
    ftl_sparse *sparse;   /* [n_steps], or NULL when the plan has no sparse edges */
    void **locals;        /* [n_steps] of open(), or NULL when no step has one */
    ftl_status status;    /* of the run: not OK when a step could not go on */
    ftl_error error;
};

/* A plan for the methods in the bit set, all of which the model has. */
FTL_MUST_USE ftl_status ftl_plan_create(const ftl_model *model, ftl_type input_dtype,
                                        uint32_t methods, uint32_t block_rows, ftl_plan **out,
                                        ftl_error *error);
/* An empty plan; and what both ways to a plan end with: finding the functions of all its steps. */
FTL_MUST_USE ftl_status ftl_plan_new(const ftl_model *model, ftl_plan **out, ftl_error *error);
FTL_MUST_USE ftl_status ftl_plan_bind(ftl_plan *plan, ftl_error *error);

typedef struct ftl_compile_options {
    ftl_type input_dtype;
    uint32_t methods;
    uint32_t block_rows; /* 0: chosen */
    bool owns_all;       /* the plan refers to nothing of the model's graph afterwards */
    uint64_t seed;       /* of hash tables; 0: one that differs between processes */
} ftl_compile_options;
/* The same with all choices. */
FTL_MUST_USE ftl_status ftl_plan_compile(const ftl_model *model, const ftl_compile_options *options,
                                         ftl_plan **out, ftl_error *error);
/*
 * A compiled plan as bytes in a block of the account, to be freed with ftl_free; the same graph and
 * options give the same bytes. ARG for a plan that was itself opened from bytes.
 */
FTL_MUST_USE ftl_status ftl_plan_write(const ftl_plan *plan, ftl_account *account,
                                       unsigned char **out, size_t *size, ftl_error *error);
/*
 * A plan from what ftl_plan_write made for the same model: 64-byte aligned, read in place and
 * needed until the plan is destroyed. Trust and errors as ftl_blob_open's (blob.h).
 */
FTL_MUST_USE ftl_status ftl_plan_open(const ftl_model *model, const void *bytes, size_t size,
                                      ftl_plan **out, ftl_error *error);
void ftl_plan_destroy(ftl_plan *plan);

/* A workspace without room for rows; what it grows by is charged to the account. */
FTL_MUST_USE ftl_status ftl_exec_init(ftl_exec *exec, const ftl_plan *plan, ftl_account *account,
                                      ftl_error *error);
void ftl_exec_free(ftl_exec *exec, ftl_account *account);
/*
 * Computes rows [in_row, in_row + rows) of `in`, 1 <= rows <= block_rows, for some of the plan's
 * methods (bit set). Outputs are then in the slots, unless exec->status says otherwise (NOMEM:
 * there was no room for so many rows).
 */
void ftl_exec_run(ftl_exec *exec, const ftl_batch *in, size_t in_row, uint32_t rows,
                  uint32_t methods);

/* ---- For operations -------------------------------------------------------------------------- */

/*
 * A step writes to its own slot alone: what it reads of others may be the caller's memory, readable
 * up to the last number of the last row.
 */
static inline void *ftl_slot(const ftl_step *step, const ftl_exec *exec)
{
    return exec->slots[step->id];
}
static inline void *ftl_scratch(const ftl_step *step, const ftl_exec *exec)
{
    return exec->scratch[step->id];
}
static inline const ftl_step *ftl_source_step(const ftl_step *step, const ftl_exec *exec,
                                              uint32_t segment)
{
    return &exec->plan->steps[step->op->segments[segment].op];
}

/*
 * For keep. field: the address of a pointer in a state piece to an array of the model's records:
 * they become a state piece, with zeros between their fields, so that the bytes of a plan do not
 * depend on what was in memory before. Returns the copies, whose pointers the caller registers or
 * clears; NULL where there are none.
 */
void *ftl_keep_records(ftl_blob *blob, void *field, size_t count, const ftl_record *record);

/* For keep: the texts of cells in a state piece. */
void ftl_keep_cells(ftl_blob *blob, ftl_cell *cells, size_t count);

/* Whether the step's matrix lies by columns in this block. */
static inline bool ftl_by_columns(const ftl_step *step, const ftl_exec *exec)
{
    return step->layout == FTL_LAYOUT_BATCH && exec->columns;
}

/*
 * One column of any source as float64, written to out[i * stride] for i in [0, rows). INPUT columns
 * are read from the batch, CODED columns expand to 0/1, OBJECT cells convert (text that is no
 * number marks the row bad). segment and column-in-segment.
 */
void ftl_read_f64(const ftl_step *step, ftl_exec *exec, uint32_t segment, uint32_t column,
                  double *out, size_t stride);
void ftl_read_f32(const ftl_step *step, ftl_exec *exec, uint32_t segment, uint32_t column,
                  float *out, size_t stride);
/*
 * One column as cells; INPUT columns of text are read from the batch, NUM columns become FLOAT
 * cells (NaN: MISSING).
 */
void ftl_read_cells(const ftl_step *step, ftl_exec *exec, uint32_t segment, uint32_t column,
                    ftl_cell *out, size_t stride);
/*
 * What a cell is where a number belongs: its number, what its text stands for (base/cell_text.h),
 * NaN where it is missing. False: a text that is no number.
 */
bool ftl_cell_read_number(const ftl_cell *cell, double *out);
/*
 * True when the source column is text or cells (ftl_read_cells is the natural door), false for
 * numbers.
 */
bool ftl_source_is_object(const ftl_step *step, const ftl_plan *plan, uint32_t segment);

/*
 * Ops whose single source is a whole NUM op: the matrix, by rows for all that do not say that they
 * read columns. *is_f32 tells which.
 */
static inline const void *ftl_matrix_source(const ftl_step *step, const ftl_exec *exec,
                                            bool *is_f32)
{
    const ftl_step *from = ftl_source_step(step, exec, 0);
    *is_f32 = from->is_f32;
    return ftl_slot(from, exec);
}

/* The sparse matrix of a step, and of the source of a segment. */
static inline ftl_sparse *ftl_sparse_of(const ftl_step *step, const ftl_exec *exec)
{
    return &exec->sparse[step->id];
}
static inline const ftl_sparse *ftl_sparse_source(const ftl_step *step, const ftl_exec *exec,
                                                  uint32_t segment)
{
    return &exec->sparse[step->op->segments[segment].op];
}
/* Room for so many entries in the step's matrix; false after ftl_exec_fail. */
bool ftl_sparse_reserve(const ftl_step *step, ftl_exec *exec, size_t entries);
/* Ends the run: a step cannot go on. */
void ftl_exec_fail(ftl_exec *exec, const ftl_step *step, ftl_status status, const char *format, ...)
    FTL_PRINTF(4, 5);

/*
 * Marks a row of the block bad. The message of the lowest bad row is kept (op's path, column name
 * when not NULL) with the reason ROW_REFUSED. True when this is it: then exec->bad_error may be
 * told a finer reason.
 */
bool ftl_exec_bad(ftl_exec *exec, const ftl_step *step, uint32_t row, const char *column,
                  const char *format, ...) FTL_PRINTF(5, 6);

#endif
