/*
 * Whole files, those of the fuzz corpora: read in pieces of any size they give the same graph; cut
 * off anywhere they fail; with any byte changed, or any allocation failing, they do no harm.
 */
#include "pickle_test.h"

#include "io/codec.h"

#include <dirent.h>
#include <stdio.h>

static const char *const required[] = {"left", "right", NULL}, *const optional[] = {"value", NULL};
static const char *const tree_fields[] = {"left_child", "right_child", "feature", "threshold",
                                          NULL};
static const ftl_pickle_projection projections[] = {
    {.required = required, .optional = optional},
    {.required = tree_fields, .narrow = true, .companion = "values", .chooser = "left_child"},
};
static const ftl_pickle_options packed = {.projections = projections, .n_projections = 2};

typedef struct contents {
    char *data;
    size_t size;
} contents;

static contents read_file(const char *path)
{
    contents out = {malloc(1 << 20), 0};
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_non_null(out.data);
    out.size = fread(out.data, 1, 1 << 20, in);
    fclose(in);
    return out;
}

/* Calls check on every file of a corpus; some are hostile or need a side file and do not load. */
static void each_file(const char *corpus, void (*check)(const contents *file, const char *name))
{
    char folder[1024], path[2048];
    snprintf(folder, sizeof folder, "%s/../fuzz/corpus/%s", FTL_TEST_DIR, corpus);
    DIR *dir = opendir(folder);
    int seen = 0;
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        contents file = read_file(path);
        check(&file, entry->d_name);
        free(file.data);
        seen++;
    }
    closedir(dir);
    assert_true(seen >= 10);
}

static char *graph_of(pickle_test *test)
{
    ftl_strbuf text;
    ftl_strbuf_init(&text, &test->account, 1 << 20);
    graph_text(&text, test->root, 0);
    char *copy = strdup(ftl_strbuf_text(&text));
    ftl_strbuf_free(&text);
    assert_non_null(copy);
    return copy;
}

static void in_pieces_file(const contents *file, const char *name)
{
    static const size_t steps[] = {1, 2, 3, 7, 64, 1000};
    pickle_test test;
    if (strcmp(name, "side_file") == 0)
        return;
    for (int pack = 0; pack < 2; pack++) {
        const ftl_pickle_options *options = pack ? &packed : NULL;
        assert_int_equal(load_pickle(&test, file->data, file->size, options), FTL_OK);
        char *whole = graph_of(&test);
        end_pickle(&test);
        for (size_t i = 0; i < FTL_ARRAY_LEN(steps); i++) {
            assert_int_equal(load_trickle(&test, file->data, file->size, steps[i], options),
                             FTL_OK);
            char *pieces = graph_of(&test);
            assert_string_equal(pieces, whole);
            free(pieces);
            end_pickle(&test);
        }
        free(whole);
    }
}

static void in_pieces(void **state)
{
    (void)state;
    each_file("pickle", in_pieces_file);
}

static void cut_off_file(const contents *file, const char *name)
{
    pickle_test test;
    for (size_t size = 0; size < file->size; size++) {
        char *exact = malloc(size + 1); /* lets a sanitizer see a read past the end */
        assert_non_null(exact);
        memcpy(exact, file->data, size);
        ftl_status status = load_pickle(&test, exact, size, &packed);
        end_pickle(&test);
        free(exact);
        if (status != FTL_CORRUPT && strcmp(name, "side_file") != 0)
            fail_msg("%s cut at %zu gives %s", name, size, ftl_status_name(status));
    }
}

static void cut_off(void **state)
{
    (void)state;
    each_file("pickle", cut_off_file);
}

static void changed_file(const contents *file, const char *name)
{
    static const unsigned char masks[] = {0x01, 0x80, 0xff};
    pickle_test test;
    (void)name;
    for (size_t i = 0; i < file->size * FTL_ARRAY_LEN(masks); i++) {
        unsigned char mask = masks[i % FTL_ARRAY_LEN(masks)];
        char *byte = &file->data[i / FTL_ARRAY_LEN(masks)];
        *byte = (char)((unsigned char)*byte ^ mask);
        if (load_pickle(&test, file->data, file->size, &packed) == FTL_OK)
            free(graph_of(&test));
        end_pickle(&test);
        *byte = (char)((unsigned char)*byte ^ mask);
    }
}

static void changed(void **state)
{
    (void)state;
    each_file("pickle", changed_file);
}

/* Fails the n-th allocation and all that follow. */
typedef struct failing {
    size_t left;
} failing;

static void *failing_realloc(void *user, void *pointer, size_t size)
{
    failing *f = user;
    if (f->left == 0)
        return NULL;
    f->left--;
    return realloc(pointer, size);
}

static void failing_free(void *user, void *pointer)
{
    (void)user;
    free(pointer);
}

/* One load with n allocations; trickled, so that buffers grow too. */
static ftl_status starved_load(const contents *file, size_t n)
{
    failing counter = {n};
    ftl_allocator allocator = {failing_realloc, failing_free, &counter};
    trickle source = {file->data, file->size, 0, 50};
    pickle_test test = {.report = {0}};
    ftl_stream *stream = NULL;
    ftl_pickle_options options = packed;
    options.report = &test.report;
    ftl_account_init(&test.account, &allocator, 0);
    ftl_arena_init(&test.arena, &test.account);
    ftl_status status = ftl_stream_create(&test.account, &trickle_ops, &source, 0, &stream,
                                          &test.error);
    if (status == FTL_OK)
        status = ftl_codec_decode(&test.account, &stream, 0, NULL, 0, &test.error);
    if (status == FTL_OK)
        status = ftl_pickle_load(stream, &test.arena, &options, &test.root, &test.error);
    ftl_stream_close(stream);
    end_pickle(&test);
    return status;
}

static void starved_file(const contents *file, const char *name)
{
    ftl_status status = FTL_NOMEM;
    if (strcmp(name, "side_file") == 0)
        return;
    for (size_t n = 0; status == FTL_NOMEM; n++) {
        assert_true(n < 10000);
        status = starved_load(file, n);
    }
    if (status != FTL_OK)
        fail_msg("%s: %s", name, ftl_status_name(status));
}

static void starved(void **state)
{
    (void)state;
    each_file("pickle", starved_file);
    each_file("joblib", starved_file);
}

/* Packed reading keeps the wanted fields and their values; both ways of reading agree. */
static void packed_fields(void **state)
{
    static const char *const files[] = {"structured.p0", "structured.p2", "structured.p4",
                                        "structured.p5"};
    (void)state;
    for (size_t i = 0; i < FTL_ARRAY_LEN(files); i++) {
        char path[1024];
        pickle_test test;
        int64_t left = 1;
        snprintf(path, sizeof path, "%s/../fuzz/corpus/pickle/%s", FTL_TEST_DIR, files[i]);
        contents file = read_file(path);
        assert_int_equal(load_pickle(&test, file.data, file.size, &packed), FTL_OK);
        const ftl_node_array *array = test.root->u.array;
        assert_int_equal(array->dtype->n_fields, 3);
        assert_int_equal(array->dtype->item_size, 24);
        assert_null(ftl_dtype_find_field(array->dtype, "feature"));
        const ftl_dtype_field *field = ftl_dtype_find_field(array->dtype, "left");
        memcpy(&left, (const char *)array->data + field->offset, sizeof left);
        assert_int_equal(left, 0);
        assert_false(ftl_dtype_find_field(array->dtype, "value")->dtype->swapped);
        end_pickle(&test);
        free(file.data);
    }
}

static const ftl_node_array *tree_array(const pickle_test *test, const char *name)
{
    const ftl_node *tree = ftl_node_attr(test->root, "tree_");
    const ftl_node *array = tree ? ftl_node_attr(tree, name) : NULL;
    if (!array || array->kind != FTL_NODE_ARRAY)
        fail_msg("tree_.%s is no array", name);
    return array ? array->u.array : NULL;
}

static const char *field_at(const ftl_node_array *nodes, size_t i, const char *name, uint32_t size)
{
    const ftl_dtype_field *field = ftl_dtype_find_field(nodes->dtype, name);
    if (!field || field->dtype->item_size != size)
        fail_msg("%s is no field of %u bytes", name, size);
    size_t offset = field ? field->offset : 0;
    return (const char *)nodes->data + i * nodes->dtype->item_size + offset;
}

/* What was kept of a tree is what the whole one has: integers narrowed, values of leaves alone. */
static void compare_trees(const pickle_test *whole, const pickle_test *kept)
{
    static const char *const integers[] = {"left_child", "right_child", "feature"};
    const ftl_node_array *nodes = tree_array(whole, "nodes"), *few = tree_array(kept, "nodes"),
                         *values = tree_array(whole, "values"),
                         *chosen = tree_array(kept, "values");
    assert_int_equal(few->size, nodes->size);
    assert_int_equal(few->dtype->item_size, 24);
    assert_null(values->rows_of);
    assert_ptr_equal(chosen->rows_of, few);
    size_t row = values->size / nodes->size * sizeof(double), leaves = 0;
    for (size_t i = 0; i < nodes->size; i++) {
        int64_t wide, left;
        int32_t narrow;
        for (size_t k = 0; k < FTL_ARRAY_LEN(integers); k++) {
            memcpy(&wide, field_at(nodes, i, integers[k], 8), sizeof wide);
            memcpy(&narrow, field_at(few, i, integers[k], 4), sizeof narrow);
            assert_int_equal(narrow, wide);
        }
        assert_memory_equal(field_at(few, i, "threshold", 8), field_at(nodes, i, "threshold", 8),
                            8);
        memcpy(&left, field_at(nodes, i, "left_child", 8), sizeof left);
        if (left != -1)
            continue;
        assert_true(leaves < chosen->shape[0]);
        assert_memory_equal((const char *)chosen->data + leaves++ * row,
                            (const char *)values->data + i * row, row);
    }
    assert_int_equal(chosen->shape[0], leaves);
    assert_int_equal(chosen->size, leaves * row / sizeof(double));
}

static void kept_of_trees(void **state)
{
    static const size_t steps[] = {1, 7, 64, 100000};
    char path[1024];
    (void)state;
    snprintf(path, sizeof path, "%s/../fuzz/corpus/joblib/tree.none", FTL_TEST_DIR);
    contents file = read_file(path);
    pickle_test whole, kept;
    assert_int_equal(load_pickle(&whole, file.data, file.size, NULL), FTL_OK);
    for (size_t i = 0; i < FTL_ARRAY_LEN(steps); i++) {
        assert_int_equal(load_trickle(&kept, file.data, file.size, steps[i], &packed), FTL_OK);
        compare_trees(&whole, &kept);
        end_pickle(&kept);
    }
    end_pickle(&whole);
    free(file.data);
}

/* A child that does not fit int32 is none. */
static void wide_child(void **state)
{
    char path[1024];
    pickle_test test;
    (void)state;
    snprintf(path, sizeof path, "%s/../fuzz/corpus/joblib/tree.none", FTL_TEST_DIR);
    contents file = read_file(path);
    assert_int_equal(load_pickle(&test, file.data, file.size, NULL), FTL_OK);
    const ftl_node_array *nodes = tree_array(&test, "nodes");
    char *at = memmem(file.data, file.size, nodes->data, 2 * nodes->dtype->item_size);
    size_t offset = (size_t)(field_at(nodes, 0, "right_child", 8) - (const char *)nodes->data);
    end_pickle(&test);
    assert_non_null(at);
    const int64_t large = ((int64_t)1 << 32) + 1;
    memcpy(at + offset, &large, sizeof large);
    assert_int_equal(load_pickle(&test, file.data, file.size, &packed), FTL_OK);
    int32_t narrow;
    memcpy(&narrow, field_at(tree_array(&test, "nodes"), 0, "right_child", 4), sizeof narrow);
    assert_int_equal(narrow, INT32_MIN);
    end_pickle(&test);
    free(file.data);
}

/* pandas' text index over Arrow's buffers: ["bcé", None, ""], a slice of four. */
static void arrow_text(void **state)
{
    char path[1024];
    pickle_test test;
    (void)state;
    snprintf(path, sizeof path, "%s/../fuzz/corpus/pickle/arrow.p4", FTL_TEST_DIR);
    contents file = read_file(path);
    assert_int_equal(load_pickle(&test, file.data, file.size, NULL), FTL_OK);
    const ftl_node *data = ftl_node_attr(test.root, "data");
    assert_non_null(data);
    assert_int_equal(data->kind, FTL_NODE_ARRAY);
    assert_int_equal(data->u.array->size, 3);
    assert_true(ftl_node_str_equal(data->u.array->objects[0], "bc\xc3\xa9"));
    assert_true(ftl_node_is_none(data->u.array->objects[1]));
    assert_true(ftl_node_str_equal(data->u.array->objects[2], ""));
    end_pickle(&test);
    free(file.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_pieces),     cmocka_unit_test(cut_off),
        cmocka_unit_test(changed),       cmocka_unit_test(starved),
        cmocka_unit_test(packed_fields), cmocka_unit_test(kept_of_trees),
        cmocka_unit_test(wide_child),    cmocka_unit_test(arrow_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
