/*
 * Files of foretell's own: every operation there is, with random parameters, is written, read back
 * and found to be the same; what is damaged is refused; and the validator refuses every array that
 * is not as long as described.
 */
#include "random_ir.h"

#include "base/crc64.h"
#include "model/file.h"
#include "model/validate.h"

#include <stdio.h>

enum { INPUTS = 3, ROUNDS = 20, MOST_OPS = FTL_OP_KIND_COUNT + INPUTS, BYTES = 1 << 20 };

typedef struct made {
    ftl_account account;
    ftl_model model;
    ftl_op ops[MOST_OPS];
} made;

typedef struct bytes {
    unsigned char *data; /* [BYTES], aligned to 64 */
    size_t size;
} bytes;

static bool append(void *user, const void *data, size_t size)
{
    bytes *to = user;
    assert_true(size <= BYTES - to->size);
    memcpy(to->data + to->size, data, size);
    to->size += size;
    return true;
}

/* ---- Models ---------------------------------------------------------------------------------- */

static ftl_proof proof_of(const ftl_op *op)
{
    return (ftl_proof){.op = op, .columns = ftl_op_source_columns(op)};
}

static void make_op(random_ir *r, ftl_op *op, ftl_op_kind kind)
{
    static const ftl_segment segments[2] = {{1, 0, 2}, {0, 0, 1}};
    ftl_error error;
    for (int tries = 0; tries < 200; tries++) {
        const ftl_tree_nodes *nodes = r->nodes;
        *op = (ftl_op){.kind = kind,
                       .edge = random_below(FTL_EDGE_SPARSE + 1),
                       .dtype = random_below(FTL_DTYPE_F64 + 1),
                       .width = 1 + random_below(3),
                       .n_segments = random_below(3),
                       .segments = segments,
                       .path = random_text(r)};
        random_parameters(r, op);
        const ftl_proof proof = proof_of(op);
        if (ftl_validate_parameters(&proof, &error) == FTL_OK)
            return;
        r->nodes = nodes; /* such as an index among no columns */
    }
    fail_msg("%s: %s", ftl_op_name(kind), error.message);
}

static ftl_labels *make_labels(random_ir *r)
{
    ftl_labels *labels = FTL_ARENA_NEW(r->arena, ftl_labels);
    ftl_cell *cells = ftl_arena_zero_array(r->arena, 3, sizeof *cells);
    assert_true(labels && cells);
    for (uint32_t i = 0; i < 3; i++)
        cells[i] = random_cell(r);
    *labels = (ftl_labels){.type = FTL_STRING, .count = 3, .cells = cells};
    return labels;
}

static void make_outputs(random_ir *r, ftl_model *model)
{
    const ftl_labels *labels = make_labels(r);
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        uint32_t n = random_below(4);
        ftl_output *outputs = ftl_arena_zero_array(r->arena, n, sizeof *outputs);
        assert_non_null(outputs);
        for (uint32_t i = 0; i < n; i++)
            outputs[i] = (ftl_output){.name = random_text(r),
                                      .op = i,
                                      .as = i ? FTL_AS_LABEL : FTL_AS_FLOAT,
                                      .labels = i ? labels : NULL};
        model->graph.methods[m] = (ftl_method_outputs){.count = n, .outputs = outputs};
        snprintf(model->method_error[m].message, sizeof model->method_error[m].message, "no %d", m);
        model->method_error[m].code = m % 2 ? FTL_UNSUPPORTED : FTL_OK;
    }
    const ftl_labels **classes = ftl_arena_zero_array(r->arena, 2, sizeof *classes);
    assert_non_null(classes);
    classes[0] = labels, classes[1] = make_labels(r);
    model->classes = classes;
    model->n_classes = 2;
}

/* Every operation once, twice the trees; what stands beside the graph, too. */
static void make(made *m)
{
    static ftl_input_schema inputs[INPUTS] = {
        {.name = "a"},
        {.name = NULL},
        {.name = "c", .kind = FTL_KIND_STRING, .batch_type = FTL_STRING}};
    static const ftl_step_info steps[] = {{"", "Model", "detail"}, {"x", "Part", ""}};
    static const ftl_problem problems[] = {{FTL_UNSUPPORTED, "x.y", "nothing"}};
    memset(m, 0, sizeof *m);
    ftl_account_init(&m->account, NULL, 0);
    ftl_arena_init(&m->model.arena, &m->account);
    random_ir r = {.arena = &m->model.arena};
    for (int kind = 0; kind < FTL_OP_KIND_COUNT; kind++)
        make_op(&r, &m->ops[m->model.graph.n_ops++], (ftl_op_kind)kind);
    make_op(&r, &m->ops[m->model.graph.n_ops++], FTL_OP_TREES);
    m->model.graph.ops = m->ops;
    m->model.graph.n_inputs = INPUTS;
    m->model.inputs = inputs;
    m->model.steps = steps, m->model.n_steps = 2;
    m->model.problems = problems, m->model.n_problems = 1;
    m->model.class_name = "Model", m->model.library = "library";
    m->model.library_version = random_below(2) ? "1.2" : "";
    m->model.selected = random_below(2) ? "key" : NULL;
    m->model.default_method = FTL_TRANSFORM;
    make_outputs(&r, &m->model);
}

static void unmake(made *m)
{
    ftl_arena_free(&m->model.arena);
    assert_int_equal(ftl_account_used(&m->account), 0);
}

static void write_to(const ftl_model *model, ftl_account *account, bytes *out)
{
    ftl_error error;
    out->size = 0;
    assert_int_equal(ftl_file_write(model, append, out, account, &error), FTL_OK);
    assert_int_equal(out->size % FTL_FILE_ALIGNMENT, 0);
}

static bytes new_bytes(void)
{
    static _Alignas(FTL_FILE_ALIGNMENT) unsigned char room[3][BYTES];
    static int next;
    return (bytes){.data = room[next++ % 3]};
}

/* Reads the bytes into *to; its arena is to be freed, also after a failure. */
static ftl_status read_from(const bytes *from, made *to, ftl_error *error)
{
    memset(to, 0, sizeof *to);
    ftl_account_init(&to->account, NULL, 0);
    ftl_arena_init(&to->model.arena, &to->account);
    return ftl_file_read(&to->model, from->data, from->size, &to->account, error);
}

/* ---- There and back -------------------------------------------------------------------------- */

static void assert_same_graph(const ftl_model *a, const ftl_model *b, ftl_account *account)
{
    ftl_strbuf first, second;
    ftl_strbuf_init(&first, account, 0);
    ftl_strbuf_init(&second, account, 0);
    ftl_graph_dump(&a->graph, &first);
    ftl_graph_dump(&b->graph, &second);
    assert_string_equal(ftl_strbuf_text(&first), ftl_strbuf_text(&second));
    assert_true(first.size > 1000 && !first.failed);
    ftl_strbuf_free(&first);
    ftl_strbuf_free(&second);
}

static void every_operation_comes_back(void **state)
{
    (void)state;
    made m, again;
    ftl_error error;
    bytes file = new_bytes(), copy = new_bytes();
    for (int round = 0; round < ROUNDS; round++) {
        make(&m);
        write_to(&m.model, &m.account, &file);
        assert_int_equal(read_from(&file, &again, &error), FTL_OK);
        assert_same_graph(&m.model, &again.model, &m.account);
        for (size_t i = 0; i < m.model.graph.n_ops; i++) {
            const ftl_proof proof = proof_of(&again.model.graph.ops[i]);
            assert_int_equal(ftl_validate_parameters(&proof, &error), FTL_OK);
        }
        write_to(&again.model, &again.account, &copy);
        assert_int_equal(copy.size, file.size);
        assert_memory_equal(copy.data, file.data, file.size);
        unmake(&m);
        unmake(&again);
    }
}

static void what_is_shared_stays_shared(void **state)
{
    (void)state;
    made m, again;
    ftl_error error;
    bytes file = new_bytes();
    int shared = 0;
    for (int round = 0; round < ROUNDS; round++) {
        make(&m);
        write_to(&m.model, &m.account, &file);
        assert_int_equal(read_from(&file, &again, &error), FTL_OK);
        const ftl_op *before = m.model.graph.ops, *after = again.model.graph.ops;
        bool same = before[FTL_OP_TREES].u.trees.nodes ==
                    before[FTL_OP_TREE_APPLY].u.tree_apply.nodes;
        shared += same;
        assert_int_equal(same, after[FTL_OP_TREES].u.trees.nodes ==
                                   after[FTL_OP_TREE_APPLY].u.tree_apply.nodes);
        assert_true(again.model.classes[0] != again.model.classes[1]);
        for (int k = 0; k < FTL_METHOD_COUNT; k++) {
            for (size_t i = 1; i < again.model.graph.methods[k].count; i++)
                assert_ptr_equal(again.model.graph.methods[k].outputs[i].labels,
                                 again.model.classes[0]);
        }
        assert_string_equal(again.model.class_name, "Model");
        assert_string_equal(again.model.method_error[1].message, "no 1");
        assert_int_equal(again.model.method_error[1].code, FTL_UNSUPPORTED);
        assert_null(again.model.inputs[1].name);
        unmake(&m);
        unmake(&again);
    }
    assert_true(shared > 0 && shared < ROUNDS);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

/* The checksums that fit what the bytes became. */
static void sign(bytes *file)
{
    ftl_file_header header;
    memcpy(&header, file->data, sizeof header);
    header.checksum = ftl_crc64(0, file->data + sizeof header, file->size - sizeof header);
    header.header_checksum = ftl_crc64(0, &header, offsetof(ftl_file_header, header_checksum));
    memcpy(file->data, &header, sizeof header);
}

/* Whether the bytes read as a model; no byte of them may make the reader or the validator stray. */
static bool reads(const bytes *file)
{
    made again;
    ftl_error error = {0};
    ftl_status status = read_from(file, &again, &error);
    assert_true(status == FTL_OK || error.message[0]);
    if (status == FTL_OK)
        (void)!ftl_model_validate(&again.model, &again.account, &error);
    unmake(&again);
    return status == FTL_OK;
}

static void damage_is_refused(void **state)
{
    (void)state;
    made m;
    bytes file = new_bytes(), damaged = new_bytes();
    make(&m);
    write_to(&m.model, &m.account, &file);
    unmake(&m);
    for (size_t i = 0; i < file.size; i += i < 200 ? 1 : 7) {
        memcpy(damaged.data, file.data, file.size);
        damaged.size = file.size;
        damaged.data[i] ^= (unsigned char)(1 + random_below(255));
        assert_false(reads(&damaged)); /* by its checksum */
        damaged.size = i;
        assert_false(reads(&damaged));
    }
    memcpy(damaged.data, file.data, file.size);
    memset(damaged.data + file.size, 0, FTL_FILE_ALIGNMENT);
    damaged.size = file.size + FTL_FILE_ALIGNMENT;
    assert_false(reads(&damaged));
}

static void lies_are_survived(void **state)
{
    (void)state;
    made m;
    int read = 0, refused = 0;
    bytes file = new_bytes(), lie = new_bytes();
    make(&m);
    write_to(&m.model, &m.account, &file);
    unmake(&m);
    for (int round = 0; round < 1500; round++) {
        memcpy(lie.data, file.data, file.size);
        lie.size = file.size;
        for (uint32_t n = 1 + random_below(3); n > 0; n--) {
            size_t at = sizeof(ftl_file_header) + random_below((uint32_t)(file.size - 64));
            lie.data[at] = random_below(2) ? 0xff : (unsigned char)random_below(256);
        }
        sign(&lie);
        if (reads(&lie))
            read++;
        else
            refused++;
    }
    assert_true(read > 0 && refused > 0);
}

static void other_files_are_refused_by_name(void **state)
{
    (void)state;
    made m, again;
    ftl_error error;
    bytes file = new_bytes();
    make(&m);
    write_to(&m.model, &m.account, &file);
    ftl_file_header header;
    memcpy(&header, file.data, sizeof header);
    header.version++;
    header.header_checksum = ftl_crc64(0, &header, offsetof(ftl_file_header, header_checksum));
    memcpy(file.data, &header, sizeof header);
    assert_int_equal(read_from(&file, &again, &error), FTL_UNSUPPORTED);
    unmake(&again);
    header.byte_order = __builtin_bswap32(header.byte_order);
    memcpy(file.data, &header, sizeof header);
    assert_int_equal(read_from(&file, &again, &error), FTL_UNSUPPORTED);
    unmake(&again);
    m.model.open_width = true;
    file.size = 0;
    assert_int_equal(ftl_file_write(&m.model, append, &file, &m.account, &error), FTL_UNSUPPORTED);
    unmake(&m);
}

static bool stop(void *user, const void *data, size_t size)
{
    int *calls = user;
    (void)data;
    (void)size;
    return --*calls > 0;
}

static void a_sink_may_stop(void **state)
{
    (void)state;
    made m;
    ftl_error error;
    make(&m);
    for (int calls = 1; calls < 20; calls++) {
        int left = calls;
        assert_int_equal(ftl_file_write(&m.model, stop, &left, &m.account, &error), FTL_CANCELLED);
    }
    unmake(&m);
}

/* ---- Lengths --------------------------------------------------------------------------------- */

static int n_lengths; /* that were tried */

/* Each array of a record, one longer and one shorter than it is: nothing of it may pass. */
static void try_lengths(const ftl_record *record, void *self, const ftl_op *op)
{
    ftl_error error;
    const ftl_proof proof = proof_of(op);
    for (size_t i = 0; i < record->n_fields; i++) {
        const ftl_field *field = &record->fields[i];
        char *value = (char *)self + field->offset;
        if (field->form == FTL_FORM_POINTER && *(void **)(void *)value)
            try_lengths(field->record(), *(void **)(void *)value, op);
        else if (field->form == FTL_FORM_ONE && field->element == FTL_ELEMENT_RECORD)
            try_lengths(field->record(), value, op);
        if (field->form != FTL_FORM_ARRAY || !*(void **)(void *)value)
            continue;
        size_t *count = (size_t *)(void *)((char *)self + field->count_offset), n = *count;
        if (field->element == FTL_ELEMENT_RECORD && n)
            try_lengths(field->record(), *(void **)(void *)value, op);
        /* One longer: random arrays have room for it, as other lengths may be the last number. */
        *count = n + 1;
        assert_int_equal(ftl_validate_parameters(&proof, &error), FTL_CORRUPT);
        *count = n - 1;
        if (n)
            assert_int_equal(ftl_validate_parameters(&proof, &error), FTL_CORRUPT);
        *count = n;
        n_lengths++;
    }
}

static void every_length_is_proved(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        made m;
        make(&m);
        for (size_t i = 0; i < m.model.graph.n_ops; i++) {
            const ftl_record *record = ftl_op_record(m.ops[i].kind);
            if (record)
                try_lengths(record, &m.ops[i].u, &m.ops[i]);
        }
        unmake(&m);
    }
    assert_true(n_lengths > 500);
}

/* ---- Checksums ------------------------------------------------------------------------------- */

static void checksums(void **state)
{
    (void)state;
    static unsigned char data[100000];
    assert_true(ftl_crc64(0, "123456789", 9) == 0x995dc9bbdf1939fa); /* the catalogue's */
    assert_true(ftl_crc64(0, "", 0) == 0);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)random_below(256);
    uint64_t whole = ftl_crc64(0, data, sizeof data), parts = 0;
    for (size_t at = 0, n; at < sizeof data; at += n) {
        n = 1 + random_below(9000);
        n = n > sizeof data - at ? sizeof data - at : n;
        parts = ftl_crc64(parts, data + at, n);
    }
    assert_true(whole == parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_comes_back),
        cmocka_unit_test(what_is_shared_stays_shared),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(lies_are_survived),
        cmocka_unit_test(other_files_are_refused_by_name),
        cmocka_unit_test(a_sink_may_stop),
        cmocka_unit_test(every_length_is_proved),
        cmocka_unit_test(checksums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
