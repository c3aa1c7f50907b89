/*
 * Code made from every model of the fuzz targets' corpus, through the public header: the same text
 * each time, one clear error where there is none, and nothing left behind when memory is short or
 * the writer stops.
 */
#include "unit.h"

#include <foretell/codegen.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CORPUS FTL_TEST_DIR "/../fuzz/corpus/model"

/* An allocator whose requests fail from a number on; 0: never. */
typedef struct short_memory {
    uint64_t count, fails_from;
} short_memory;

static void *take(void *user, void *pointer, size_t size)
{
    short_memory *memory = user;
    memory->count++;
    if (memory->fails_from && memory->count >= memory->fails_from)
        return NULL;
    return realloc(pointer, size);
}

static void give(void *user, void *pointer)
{
    (void)user;
    free(pointer);
}

typedef struct sink {
    uint64_t bytes, hash, calls, most_calls;
} sink;

static bool put(void *user, const char *text, size_t size)
{
    sink *out = user;
    assert_true(size > 0 && text[size] == '\0' && strlen(text) == size);
    for (size_t i = 0; i < size; i++)
        out->hash = (out->hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    out->bytes += size;
    return !out->most_calls || ++out->calls < out->most_calls;
}

static ftl_status generate(const ftl_model *model, ftl_method method, ftl_type dtype, sink *out,
                           ftl_error *error)
{
    const ftl_generate_options options = {
        .struct_size = sizeof options, .methods = 1u << method, .input_dtype = dtype};
    return ftl_generate(model, &options, put, out, error);
}

/* One line that says where and what. */
static void check_error(ftl_status status, const ftl_error *error)
{
    assert_true(status == FTL_UNSUPPORTED || status == FTL_LIMIT);
    assert_int_equal(error->code, status);
    assert_true(error->message[0] && !strchr(error->message, '\n'));
}

static void check_method(const ftl_model *model, ftl_method method, unsigned *made)
{
    ftl_error error;
    for (int narrow = 0; narrow < 2; narrow++) {
        sink first = {0}, second = {0}, stopped = {.most_calls = 2};
        ftl_type dtype = narrow ? FTL_F32 : FTL_F64;
        ftl_status status = generate(model, method, dtype, &first, &error);
        if (status != FTL_OK) {
            check_error(status, &error);
            assert_int_equal(first.bytes, 0); /* refused before anything is written */
            continue;
        }
        ++*made;
        assert_int_equal(generate(model, method, dtype, &second, &error), FTL_OK);
        assert_true(first.bytes == second.bytes && first.hash == second.hash);
        if (first.bytes > 40000)
            assert_int_equal(generate(model, method, dtype, &stopped, &error), FTL_CANCELLED);
    }
}

typedef void visit_model(const ftl_model *model, short_memory *memory, void *user);

static void each_model(visit_model *visit, void *user, unsigned step)
{
    DIR *folder = opendir(CORPUS);
    assert_non_null(folder);
    unsigned i = 0;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        short_memory memory = {0};
        const ftl_allocator allocator = {take, give, &memory};
        const ftl_context_options options = {
            .struct_size = sizeof options, .allocator = &allocator, .threads = 1};
        ftl_context *context;
        ftl_model *model;
        char path[512];
        if (entry->d_name[0] == '.' || i++ % step)
            continue;
        snprintf(path, sizeof path, CORPUS "/%.200s", entry->d_name);
        assert_int_equal(ftl_context_create(&options, &context, NULL), FTL_OK);
        if (ftl_model_open(context, path, NULL, &model, NULL) == FTL_OK) {
            uint64_t before = ftl_context_memory_used(context);
            visit(model, &memory, user);
            assert_int_equal(ftl_context_memory_used(context), before);
            ftl_model_release(model);
        }
        ftl_context_destroy(context);
    }
    closedir(folder);
}

static void check_all(const ftl_model *model, short_memory *memory, void *user)
{
    (void)memory;
    for (unsigned m = 0; m < FTL_METHOD_COUNT; m++) {
        if (ftl_model_has_method(model, (ftl_method)m))
            check_method(model, (ftl_method)m, user);
    }
}

static void test_every_model(void **state)
{
    unsigned made = 0;
    (void)state;
    each_model(check_all, &made, 1);
    assert_true(made > 100);
}

/* The Nth request for memory fails, for every N. */
static void check_memory(const ftl_model *model, short_memory *memory, void *user)
{
    const ftl_generate_options options = {.struct_size = sizeof options};
    ftl_error error;
    ftl_status status = FTL_NOMEM;
    for (uint64_t n = 1; status == FTL_NOMEM && n < 2000; n++) {
        sink out = {0};
        memory->count = 0;
        memory->fails_from = n;
        status = ftl_generate(model, &options, put, &out, &error);
        memory->fails_from = 0;
        *(unsigned *)user += status == FTL_NOMEM;
    }
    if (status != FTL_OK)
        check_error(status, &error);
}

static void test_short_memory(void **state)
{
    unsigned failed = 0;
    (void)state;
    each_model(check_memory, &failed, 7);
    assert_true(failed > 50);
}

static void test_arguments(void **state)
{
    ftl_generate_target target = {.struct_size = sizeof target};
    size_t n = 0;
    (void)state;
    while (ftl_generate_target_at(n, &target) == FTL_OK) {
        assert_true(target.name[0] && target.about[0]);
        n++;
    }
    assert_true(n >= 1);
    assert_int_equal(ftl_generate(NULL, NULL, put, NULL, NULL), FTL_ARG);
}

static void check_options(const ftl_model *model, short_memory *memory, void *user)
{
    sink out = {0};
    ftl_error error;
    ftl_generate_options options = {.struct_size = sizeof options, .max_code_bytes = 100};
    (void)memory;
    (void)user;
    ftl_status status = ftl_generate(model, &options, put, &out, &error);
    assert_true(status == FTL_LIMIT || status == FTL_UNSUPPORTED);
    options = (ftl_generate_options){.struct_size = sizeof options, .prefix = "a-b"};
    assert_int_equal(ftl_generate(model, &options, put, &out, &error), FTL_ARG);
    assert_string_equal(error.option, "prefix");
    options = (ftl_generate_options){.struct_size = sizeof options, .target = "x"};
    assert_int_equal(ftl_generate(model, &options, put, &out, &error), FTL_ARG);
    assert_string_equal(error.option, "target");
    options = (ftl_generate_options){.struct_size = sizeof options, .methods = 1u << 31};
    assert_int_equal(ftl_generate(model, &options, put, &out, &error), FTL_ARG);
    options = (ftl_generate_options){.struct_size = 0};
    assert_int_equal(ftl_generate(model, &options, put, &out, &error), FTL_ARG);
    assert_int_equal(ftl_generate(model, NULL, NULL, &out, &error), FTL_ARG);
}

static void test_options(void **state)
{
    (void)state;
    each_model(check_options, NULL, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_model), cmocka_unit_test(test_short_memory),
        cmocka_unit_test(test_arguments), cmocka_unit_test(test_options)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
