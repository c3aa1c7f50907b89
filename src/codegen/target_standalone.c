/* standalone-c: one C99 file that has the model in it and needs no library but the C library. */
#include "codegen/c_code.h"

#include "model/facts.h"

#include <stdio.h>

enum { most_stack = 1 << 20 }; /* bytes of a row's arrays */

/* ---- Which operations ------------------------------------------------------------------------ */

static void mark_sources(ftl_c_code *code)
{
    const ftl_graph *graph = code->graph;
    for (size_t id = graph->n_ops; id-- > 0;) {
        for (uint32_t i = 0; i < graph->ops[id].n_segments; i++)
            code->ops[graph->ops[id].segments[i].op].methods |= code->ops[id].methods;
    }
}

/* As plans do (plan/plan.c): what may refuse rows and no method needs belongs to all of them. */
static void mark_needed(ftl_c_code *code)
{
    const ftl_graph *graph = code->graph;
    for (unsigned m = 0; m < FTL_METHOD_COUNT; m++) {
        for (size_t i = 0; i < graph->methods[m].count; i++)
            code->ops[graph->methods[m].outputs[i].op].methods |= 1u << m;
    }
    mark_sources(code);
    for (size_t id = 0; id < graph->n_ops; id++) {
        if (!code->ops[id].methods && ftl_op_may_refuse(&graph->ops[id]))
            code->ops[id].methods = UINT32_MAX;
    }
    mark_sources(code);
    for (size_t id = 0; id < graph->n_ops; id++)
        code->ops[id].methods &= code->request->methods;
}

/* Operations whose numbers have a type of their own, whatever the graph's rule says. */
static bool own_type(const ftl_op *op, bool narrow)
{
    switch (op->kind) {
    case FTL_OP_TREES:
        return op->u.trees.sum_f32;
    case FTL_OP_TREE_APPLY:
    case FTL_OP_OBLIVIOUS:
    case FTL_OP_VOTE:
    case FTL_OP_CATEGORY_HASH:
        return false;
    case FTL_OP_MATCH:
    case FTL_OP_CTR:
        return true;
    default:
        return narrow;
    }
}

static void resolve_ops(ftl_c_code *code)
{
    const ftl_graph *graph = code->graph;
    for (uint32_t id = 0; id < graph->n_ops; id++) {
        const ftl_op *op = &graph->ops[id];
        ftl_c_op *own = &code->ops[id];
        bool all = true, first = op->n_segments > 0 && code->ops[op->segments[0].op].is_f32;
        for (uint32_t s = 0; s < op->n_segments; s++)
            all = all && code->ops[op->segments[s].op].is_f32;
        own->is_f32 = own_type(op, ftl_op_is_f32(op, code->request->input_dtype, first, all));
        own->width = op->edge == FTL_EDGE_CODED ? ftl_op_source_columns(op) : op->width;
        own->slot = op->kind == FTL_OP_CHECK ? code->ops[op->segments[0].op].slot : id;
    }
}

static size_t element_size(const ftl_c_code *code, uint32_t id)
{
    switch (ftl_c_op_at(code, id)->edge) {
    case FTL_EDGE_CODED:
        return sizeof(int);
    case FTL_EDGE_OBJECT:
        return sizeof(ftl_cell);
    default:
        return code->ops[id].is_f32 ? sizeof(float) : sizeof(double);
    }
}

static ftl_status check_op(ftl_c_code *code, uint32_t id, uint64_t *stack, ftl_error *error)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    char what[80];
    if (ftl_c_is_input(op))
        return FTL_OK;
    const ftl_c_writer *writer = ftl_c_writer_of(op);
    snprintf(what, sizeof what, "its %s step%s", ftl_op_name(op->kind),
             op->edge == FTL_EDGE_SPARSE ? ", whose matrix is sparse" : "");
    if (!writer || op->edge == FTL_EDGE_SPARSE)
        return ftl_c_unsupported(op, what, error);
    code->ops[id].fails = writer->fails;
    if (writer->check)
        FTL_TRY(writer->check(code, id, error));
    if (op->edge == FTL_EDGE_OBJECT)
        code->uses |= FTL_C_CELLS;
    *stack += code->ops[id].stack;
    *stack += code->ops[id].slot == id ? code->ops[id].width * element_size(code, id) : 0;
    if (*stack <= most_stack)
        return FTL_OK;
    ftl_error_set(error, FTL_LIMIT,
                  "a row takes more than %d KiB between the steps of the model, more than a "
                  "function without memory of its own may use; run it by foretell itself",
                  most_stack >> 10);
    ftl_error_in(error, op->path);
    return FTL_LIMIT;
}

static ftl_status check_ops(ftl_c_code *code, ftl_error *error)
{
    uint64_t stack = 0;
    for (uint32_t id = 0; id < code->graph->n_ops; id++) {
        if (code->ops[id].methods)
            FTL_TRY(check_op(code, id, &stack, error));
    }
    for (unsigned m = 0; m < FTL_METHOD_COUNT; m++) {
        const ftl_method_outputs *outputs = &code->graph->methods[m];
        for (size_t i = 0; code->request->methods & 1u << m && i < outputs->count; i++) {
            const ftl_op *op = ftl_c_op_at(code, outputs->outputs[i].op);
            if (op->edge == FTL_EDGE_OBJECT || outputs->outputs[i].as == FTL_AS_CELL ||
                ftl_c_is_cell(code, outputs->outputs[i].op))
                return ftl_c_unsupported(op, "results that are cells of the table as they stand",
                                         error);
        }
    }
    return FTL_OK;
}

/* ---- The file -------------------------------------------------------------------------------- */

static void write_file(ftl_c_code *code)
{
    ftl_c_write_head(code);
    ftl_c_write_classes(code);
    ftl_c_write_functions(code);
    ftl_c_write_vectors(code);
    for (uint32_t id = 0; id < code->graph->n_ops && code->out->status == FTL_OK; id++) {
        if (code->ops[id].methods && !ftl_c_is_input(ftl_c_op_at(code, id)))
            ftl_c_write_op(code, id);
    }
    for (unsigned m = 0; m < FTL_METHOD_COUNT; m++) {
        if (code->request->methods & 1u << m)
            ftl_c_write_method(code, (ftl_method)m);
    }
    ftl_c_write_errors(code);
    ftl_c_write_main(code);
}

static ftl_status generate(ftl_c_code *code, ftl_error *error)
{
    const ftl_model *model = code->request->model;
    code->ops = ftl_arena_zero_array(&code->arena, code->graph->n_ops + 1, sizeof *code->ops);
    if (!code->ops)
        return FTL_OOM(error);
    code->cells = model->first_text_input < model->graph.n_inputs;
    FTL_TRY(ftl_c_name_members(code, error));
    mark_needed(code);
    resolve_ops(code);
    FTL_TRY(check_ops(code, error));
    write_file(code);
    return code->failed ? FTL_OOM(error) : FTL_OK;
}

static ftl_status write_standalone(const ftl_generate_request *request, ftl_emitter *out,
                                   ftl_error *error)
{
    ftl_c_code code = {
        .request = request, .graph = &request->model->graph, .prefix = request->prefix, .out = out};
    for (size_t i = 0; request->prefix[i] && i + 1 < sizeof code.upper; i++) {
        char c = request->prefix[i];
        code.upper[i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    ftl_arena_init(&code.arena, request->account);
    ftl_status status = generate(&code, error);
    ftl_arena_free(&code.arena);
    return status;
}

const ftl_target ftl_target_standalone_c = {
    .name = "standalone-c",
    .about = "the model as one C99 file that needs nothing else",
    .write = write_standalone};
