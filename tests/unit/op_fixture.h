/*
 * Small graphs written by hand: INPUTS input columns, then operations; the last one's output is the
 * prediction.
 */
#ifndef FTL_TEST_OP_FIXTURE_H
#define FTL_TEST_OP_FIXTURE_H

#include "guarded.h"

#include "plan/plan.h"

#include <math.h>
#include <string.h>

enum { MAX_OPS = 12, ROWS = 37, INPUTS = 4 };

typedef struct fixture {
    ftl_model model;
    ftl_account account;
    ftl_op ops[MAX_OPS];
    ftl_input_schema inputs[INPUTS];
    ftl_output outputs[32];
} fixture;

static inline void start(fixture *f)
{
    memset(f, 0, sizeof *f);
    ftl_account_init(&f->account, NULL, 0);
    ftl_account_init_child(&f->model.account, &f->account);
    ftl_model_init_accounts(&f->model);
    f->model.class_name = "test";
    f->model.inputs = f->inputs;
    f->model.graph.ops = f->ops;
    f->model.graph.n_inputs = INPUTS;
    for (uint32_t i = 0; i < INPUTS; i++) {
        f->inputs[i].batch_type = FTL_F64;
        f->ops[i] = (ftl_op){.kind = FTL_OP_INPUT, .width = 1, .path = "", .u.input.column = i};
    }
    f->model.graph.n_ops = INPUTS;
}

static inline ftl_op *add(fixture *f, ftl_op_kind kind, uint32_t width, const ftl_segment *segments,
                          uint32_t n)
{
    assert_true(f->model.graph.n_ops < MAX_OPS);
    ftl_op *op = &f->ops[f->model.graph.n_ops++];
    *op = (ftl_op){
        .kind = kind, .width = width, .segments = segments, .n_segments = n, .path = "t"};
    return op;
}

/* Runs the last op of a plan in an exec; out: rows × its width. */
static inline void run_exec(ftl_exec *exec, const ftl_batch *batch, uint32_t last, uint32_t width,
                            double *out)
{
    const ftl_plan *plan = exec->plan;
    for (size_t row = 0; row < batch->rows; row += plan->block_rows) {
        size_t left = batch->rows - row;
        uint32_t rows = left < plan->block_rows ? (uint32_t)left : plan->block_rows;
        ftl_exec_run(exec, batch, row, rows, 1u << FTL_PREDICT);
        const ftl_step *step = &plan->steps[last];
        for (size_t i = 0; i < (size_t)rows * width; i++)
            out[row * width + i] = step->is_f32 ? (double)((const float *)ftl_slot(step, exec))[i]
                                                : ((const double *)ftl_slot(step, exec))[i];
    }
}

static inline void run_batch(fixture *f, const ftl_plan *plan, const ftl_batch *batch,
                             uint32_t last, uint32_t width, double *out)
{
    ftl_error error;
    ftl_exec exec;
    assert_int_equal(ftl_exec_init(&exec, plan, &f->account, &error), FTL_OK);
    run_exec(&exec, batch, last, width, out);
    ftl_exec_free(&exec, &f->account);
}

static inline void run_plan(fixture *f, const ftl_plan *plan, const ftl_matrix *in, uint32_t last,
                            uint32_t width, double *out)
{
    const ftl_batch batch = {.rows = in->rows, .n_columns = INPUTS, .matrix = in};
    run_batch(f, plan, &batch, last, width, out);
}

/* The same from a batch of columns: the same bits. */
static inline void check_columns(fixture *f, const ftl_plan *plan, const ftl_matrix *in,
                                 uint32_t last, uint32_t width, const double *expected)
{
    static double x[INPUTS][1024], got[32 * 1024];
    const ftl_column columns[INPUTS] = {{.type = FTL_F64, .values = x[0]},
                                        {.type = FTL_F64, .values = x[1]},
                                        {.type = FTL_F64, .values = x[2]},
                                        {.type = FTL_F64, .values = x[3]}};
    const ftl_batch batch = {.rows = in->rows, .n_columns = INPUTS, .columns = columns};
    assert_true(in->rows <= 1024 && width <= 32);
    for (size_t i = 0; i < in->rows * INPUTS; i++) {
        ptrdiff_t at = (ptrdiff_t)(i / INPUTS) * in->row_stride +
                       (ptrdiff_t)(i % INPUTS) * in->column_stride;
        x[i % INPUTS][i / INPUTS] = in->dtype == FTL_F64 ? ((const double *)in->data)[at]
                                                         : (double)((const float *)in->data)[at];
    }
    run_batch(f, plan, &batch, last, width, got);
    assert_memory_equal(got, expected, in->rows * width * sizeof *got);
}

/* The rows of a matrix one behind the other; returns their bytes. */
static inline size_t pack_rows(const ftl_matrix *in, unsigned char *out)
{
    size_t size = in->dtype == FTL_F64 ? sizeof(double) : sizeof(float), n = in->rows * INPUTS;
    for (size_t i = 0; i < n; i++) {
        ptrdiff_t at = (ptrdiff_t)(i / INPUTS) * in->row_stride +
                       (ptrdiff_t)(i % INPUTS) * in->column_stride;
        memcpy(out + i * size, (const char *)in->data + at * (ptrdiff_t)size, size);
    }
    return n * size;
}

/* Packed rows become columns, one behind the other. */
static inline void turn_rows(unsigned char *data, size_t rows, size_t column_bytes)
{
    static unsigned char copy[1024 * INPUTS * sizeof(double)];
    size_t size = rows ? column_bytes / rows : 0;
    memcpy(copy, data, column_bytes * INPUTS);
    for (size_t i = 0; i < rows * INPUTS; i++)
        memcpy(data + (i % INPUTS) * column_bytes + i / INPUTS * size, copy + i * size, size);
}

/*
 * The same from packed rows that may only be read, up to the last one: as numbers lie, and at an
 * odd address; from packed columns; then in the same exec from the matrix as it was given.
 */
static inline void check_guarded(fixture *f, const ftl_plan *plan, const ftl_matrix *in,
                                 uint32_t last, uint32_t width, const double *expected)
{
    static unsigned char rows[1024 * INPUTS * sizeof(double)];
    static double got[32 * 1024];
    assert_true(in->rows <= 1024 && width <= 32);
    ftl_error error;
    ftl_exec exec;
    guarded memory = guarded_open(sizeof rows);
    size_t size = pack_rows(in, rows);
    ftl_matrix packed = {
        .dtype = in->dtype, .rows = in->rows, .columns = INPUTS, .row_stride = INPUTS};
    packed.column_stride = 1;
    const ftl_batch batch = {.rows = in->rows, .n_columns = INPUTS, .matrix = &packed},
                    given = {.rows = in->rows, .n_columns = INPUTS, .matrix = in};
    assert_int_equal(ftl_exec_init(&exec, plan, &f->account, &error), FTL_OK);
    for (size_t behind = 0; behind < 2; behind++) {
        packed.data = guarded_copy(&memory, rows, size, behind);
        memset(got, 0, sizeof got);
        run_exec(&exec, &batch, last, width, got);
        assert_memory_equal(got, expected, in->rows * width * sizeof *got);
    }
    packed.row_stride = 1;
    packed.column_stride = (ptrdiff_t)in->rows;
    turn_rows(rows, in->rows, size / INPUTS);
    packed.data = guarded_copy(&memory, rows, size, 0);
    memset(got, 0, sizeof got);
    run_exec(&exec, &batch, last, width, got);
    assert_memory_equal(got, expected, in->rows * width * sizeof *got);
    guarded_close(&memory);
    memset(got, 0, sizeof got);
    run_exec(&exec, &given, last, width, got);
    assert_memory_equal(got, expected, in->rows * width * sizeof *got);
    ftl_exec_free(&exec, &f->account);
}

/*
 * No word of a plan's records is an address of this process: a pointer that was not registered
 * would be one. Upper halves of what the heap, the stack and the program have.
 */
static inline void check_no_address(const unsigned char *state, size_t size)
{
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, state + i, sizeof word);
        assert_false(word >> 32 >= 0x5000 && word >> 32 <= 0x7fff);
    }
}

static inline unsigned char *write_plan(fixture *f, const ftl_compile_options *options,
                                        size_t *size)
{
    ftl_error error;
    ftl_plan *plan = NULL;
    unsigned char *bytes = NULL;
    assert_int_equal(ftl_plan_compile(&f->model, options, &plan, &error), FTL_OK);
    assert_int_equal(ftl_plan_write(plan, &f->account, &bytes, size, &error), FTL_OK);
    for (size_t i = 0; options->owns_all && i < plan->blob.n_pieces; i++)
        assert_true(plan->blob.pieces[i].base != plan->blob.pieces[i].from);
    ftl_plan_destroy(plan);
    return bytes;
}

/* The bytes opened where nothing of the plan was before, and without its graph. */
static inline void run_bytes(fixture *f, const unsigned char *bytes, size_t size,
                             const ftl_matrix *in, uint32_t last, uint32_t width, double *out)
{
    unsigned char *room = ftl_alloc(&f->account, size + 64),
                  *aligned = room + (-(uintptr_t)room & 63);
    ftl_op graph[MAX_OPS];
    ftl_plan *plan = NULL;
    ftl_error error;
    memcpy(aligned, bytes, size);
    assert_int_equal(ftl_plan_open(&f->model, aligned, size, &plan, &error), FTL_OK);
    check_no_address(aligned + size - plan->view.data_size - plan->view.state_size,
                     plan->view.state_size);
    memcpy(graph, f->ops, sizeof graph);
    memset(f->ops, 0xa5, sizeof graph);
    run_plan(f, plan, in, last, width, out);
    memcpy(f->ops, graph, sizeof graph);
    ftl_plan_destroy(plan);
    ftl_free(&f->account, room);
}

/*
 * A plan as bytes gives the same bits, whether it borrowed from the model or not; and the bytes do
 * not depend on where the plan lay.
 */
static inline void check_bytes(fixture *f, ftl_type dtype, uint32_t block, const ftl_matrix *in,
                               uint32_t last, uint32_t width, const double *expected)
{
    ftl_compile_options options = {
        .input_dtype = dtype, .methods = 1u << FTL_PREDICT, .block_rows = block, .seed = 7};
    size_t values = in->rows * width;
    double *got = ftl_alloc_zero(&f->account, values, sizeof *got);
    for (int owned = 0; owned < 2; owned++) {
        size_t size, again_size;
        options.owns_all = owned;
        unsigned char *bytes = write_plan(f, &options, &size);
        void *shift = ftl_alloc(&f->account, 5000);
        unsigned char *again = write_plan(f, &options, &again_size);
        assert_int_equal(size, again_size);
        assert_memory_equal(bytes, again, size);
        run_bytes(f, bytes, size, in, last, width, got);
        assert_memory_equal(got, expected, values * sizeof *got);
        ftl_free(&f->account, shift);
        ftl_free(&f->account, again);
        ftl_free(&f->account, bytes);
    }
    ftl_free(&f->account, got);
}

/* Runs the last op as the model's prediction; out: rows × its width. */
static inline void run(fixture *f, ftl_type dtype, uint32_t block, const ftl_matrix *in,
                       double *out)
{
    uint32_t last = (uint32_t)f->model.graph.n_ops - 1, width = f->ops[last].width;
    for (uint32_t i = 0; i < width; i++)
        f->outputs[i] = (ftl_output){.name = "p", .op = last, .column = i, .as = FTL_AS_FLOAT};
    f->model.graph.methods[FTL_PREDICT] = (ftl_method_outputs){.count = width,
                                                               .outputs = f->outputs};
    ftl_error error;
    ftl_plan *plan = NULL;
    assert_int_equal(ftl_graph_validate(&f->model.graph, &f->account, &error), FTL_OK);
    assert_int_equal(ftl_plan_create(&f->model, dtype, 1u << FTL_PREDICT, block, &plan, &error),
                     FTL_OK);
    run_plan(f, plan, in, last, width, out);
    check_columns(f, plan, in, last, width, out);
    check_guarded(f, plan, in, last, width, out);
    ftl_plan_destroy(plan);
    check_bytes(f, dtype, block, in, last, width, out);
    assert_int_equal(ftl_account_used(&f->account), 0);
}

#endif
