/*
 * struct_size through the public header alone: every function that takes options refuses a size
 * that was not set and says so; every struct of facts is filled as far as the caller's reaches.
 */
#include "public_api.h"

#include <foretell/cache.h>
#include <foretell/rows.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOREST_PATH FTL_TEST_DIR "/" FOREST

/* ---- Options --------------------------------------------------------------------------------- */

/* What the calls below work on. */
typedef struct subject {
    opened o;
    ftl_plan *plan;
    void *bytes; /* of the model's file */
    size_t size;
    void *options; /* struct_size is what the test wants, everything else zero */
} subject;

static char table[] = "/tmp/ftl-structs-XXXXXX"; /* CSV of one row of the forest's columns */

static void write_table(void)
{
    static const char text[] = "a,b,c,d,e\n1,2,3,4,5\n";
    const int fd = mkstemp(table);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
}

static bool ignore_text(void *user, const char *text, size_t size)
{
    (void)user;
    (void)text;
    (void)size;
    return true;
}

static ftl_status create_context(subject *s)
{
    ftl_context *context = NULL;
    ftl_status status = ftl_context_create(s->options, &context, &s->o.error);
    ftl_context_destroy(context);
    return status;
}

static ftl_status open_path(subject *s)
{
    ftl_model *model = NULL;
    ftl_status status = ftl_model_open(s->o.context, FOREST_PATH, s->options, &model, &s->o.error);
    ftl_model_release(model);
    return status;
}

static ftl_status open_memory(subject *s)
{
    ftl_model *model = NULL;
    ftl_status status = ftl_model_open_memory(s->o.context, s->bytes, s->size, s->options, &model,
                                              &s->o.error);
    ftl_model_release(model);
    return status;
}

/* The plan's options stand in a model's. */
static ftl_status open_for_one_plan(subject *s)
{
    const ftl_model_options options = {.struct_size = sizeof options, .only_plan = s->options};
    ftl_model *model = NULL;
    ftl_status status = ftl_model_open(s->o.context, FOREST_PATH, &options, &model, &s->o.error);
    ftl_model_release(model);
    return status;
}

static ftl_status make_plan(subject *s)
{
    ftl_plan *plan = NULL;
    ftl_status status = ftl_model_plan(s->o.model, s->options, &plan, &s->o.error);
    ftl_plan_release(plan);
    return status;
}

static ftl_status create_session(subject *s)
{
    ftl_session *session = NULL;
    ftl_status status = ftl_session_create(s->o.model, s->options, &session, &s->o.error);
    ftl_session_destroy(session);
    return status;
}

static ftl_status predict_parallel(subject *s)
{
    static const double row[5] = {1, 2, 3, 4, 5};
    double out;
    const ftl_matrix in = {.data = row,
                           .dtype = FTL_F64,
                           .rows = 1,
                           .columns = 5,
                           .row_stride = 5,
                           .column_stride = 1};
    return ftl_predict_parallel(s->plan, FTL_PREDICT, &in, &out, s->options, NULL, &s->o.error);
}

static ftl_status score(subject *s)
{
    return ftl_score(s->o.model, table, "/dev/null", s->options, NULL, &s->o.error);
}

static ftl_status check(subject *s)
{
    return ftl_check(s->o.model, table, s->options, ignore_text, NULL, &s->o.error);
}

static ftl_status create_cache(subject *s)
{
    ftl_cache *cache = NULL;
    ftl_status status = ftl_cache_create(s->o.context, s->options, &cache, &s->o.error);
    ftl_cache_destroy(cache);
    return status;
}

static ftl_status ask_cache(subject *s)
{
    ftl_cache *cache = NULL;
    ftl_model *model = NULL;
    assert_int_equal(ftl_cache_create(s->o.context, NULL, &cache, NULL), FTL_OK);
    ftl_status status = ftl_cache_get(cache, FOREST_PATH, s->options, NULL, &model, &s->o.error);
    ftl_model_release(model);
    ftl_cache_destroy(cache);
    return status;
}

static ftl_status read_rows(subject *s)
{
    static const char rows[] = "[[1, 2, 3, 4, 5]]";
    ftl_batch in;
    return ftl_session_read(s->o.session, rows, sizeof rows - 1, s->options, NULL, &in,
                            &s->o.error);
}

static int64_t give_table(void *user, void *data, size_t size)
{
    static const char text[] = "a,b,c,d,e\n1,2,3,4,5\n";
    bool *given = user;
    size_t n = *given || size < sizeof text ? 0 : sizeof text - 1;
    memcpy(data, text, n);
    *given = true;
    return (int64_t)n;
}

static int take_nothing(void *user, const void *data, size_t size)
{
    (void)user;
    (void)data;
    (void)size;
    return 0;
}

static ftl_status score_stream(subject *s)
{
    bool given = false;
    const ftl_reader reader = {.struct_size = sizeof reader, .user = &given, .read = give_table};
    const ftl_writer writer = {.struct_size = sizeof writer, .write = take_nothing};
    return ftl_score_stream(s->o.model, &reader, &writer, s->options, NULL, &s->o.error);
}

/* Every public function that takes a struct of options. */
static const struct call {
    ftl_status (*function)(subject *s);
    const char *type;
    size_t size;
} calls[] = {
    {create_context, "ftl_context_options", sizeof(ftl_context_options)},
    {open_path, "ftl_model_options", sizeof(ftl_model_options)},
    {open_memory, "ftl_model_options", sizeof(ftl_model_options)},
    {open_for_one_plan, "ftl_plan_options", sizeof(ftl_plan_options)},
    {make_plan, "ftl_plan_options", sizeof(ftl_plan_options)},
    {create_session, "ftl_session_options", sizeof(ftl_session_options)},
    {predict_parallel, "ftl_parallel_options", sizeof(ftl_parallel_options)},
    {score, "ftl_score_options", sizeof(ftl_score_options)},
    {check, "ftl_score_options", sizeof(ftl_score_options)},
    {read_rows, "ftl_read_options", sizeof(ftl_read_options)},
    {score_stream, "ftl_score_options", sizeof(ftl_score_options)},
    {create_cache, "ftl_cache_options", sizeof(ftl_cache_options)},
    {ask_cache, "ftl_cache_get_options", sizeof(ftl_cache_get_options)},
};

static void read_model(subject *s)
{
    FILE *file = fopen(FOREST_PATH, "rb");
    assert_non_null(file);
    s->bytes = malloc(1 << 20);
    assert_non_null(s->bytes);
    s->size = fread(s->bytes, 1, 1 << 20, file);
    fclose(file);
}

static void test_options_without_a_size_are_refused(void **state)
{
    (void)state;
    static size_t options[128]; /* more than any struct of options; zero behind the size */
    subject s = {.o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0), .options = options};
    assert_int_equal(ftl_model_plan(s.o.model, NULL, &s.plan, NULL), FTL_OK);
    start_executor(&s.o, s.plan);
    read_model(&s);
    write_table();
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        for (size_t size = 0; size < sizeof(size_t); size++) {
            options[0] = size;
            s.o.error.reason = FTL_REASON_NONE;
            if (calls[i].function(&s) != FTL_ARG)
                fail_msg("%s of %zu bytes were taken by call %zu", calls[i].type, size, i);
            assert_int_equal(s.o.error.reason, FTL_REASON_STRUCT_SIZE);
            assert_string_equal(s.o.error.option, "struct_size");
            assert_non_null(strstr(s.o.error.message, calls[i].type));
        }
        const size_t sizes[] = {sizeof(size_t), calls[i].size, sizeof options};
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            options[0] = sizes[j];
            assert_int_equal(calls[i].function(&s), FTL_OK);
        }
    }
    assert_int_equal(unlink(table), 0);
    free(s.bytes);
    ftl_plan_release(s.plan);
    close_session(&s.o);
}

/* ---- Facts ----------------------------------------------------------------------------------- */

static ftl_status fill_class(const opened *o, void *out)
{
    (void)o;
    return ftl_supported_class(3, out);
}

static ftl_status fill_model(const opened *o, void *out)
{
    return ftl_model_get_info(o->model, out);
}
static ftl_status fill_input(const opened *o, void *out)
{
    return ftl_model_input(o->model, 1, out);
}

static ftl_status fill_output(const opened *o, void *out)
{
    return ftl_model_output(o->model, FTL_PREDICT_PROBA, 1, out);
}

static ftl_status fill_session_output(const opened *o, void *out)
{
    return ftl_session_output(o->session, FTL_PREDICT_PROBA, 1, out);
}

static ftl_status fill_label(const opened *o, void *out)
{
    return ftl_model_class(o->model, 0, 1, out);
}

static ftl_status fill_plan(const opened *o, void *out)
{
    ftl_plan *plan = NULL;
    assert_int_equal(ftl_model_plan(o->model, NULL, &plan, NULL), FTL_OK);
    ftl_status status = ftl_plan_get_info(plan, out);
    ftl_plan_release(plan);
    return status;
}

static ftl_status fill_cache_stats(const opened *o, void *out)
{
    ftl_cache *cache = NULL;
    assert_int_equal(ftl_cache_create(o->context, NULL, &cache, NULL), FTL_OK);
    ftl_status status = ftl_cache_get_stats(cache, out);
    ftl_cache_destroy(cache);
    return status;
}

/* Of a hit: the time of a load differs from one to the next. */
static ftl_status fill_cache_answer(const opened *o, void *out)
{
    ftl_cache *cache = NULL;
    ftl_model *model = NULL;
    assert_int_equal(ftl_cache_create(o->context, NULL, &cache, NULL), FTL_OK);
    assert_int_equal(ftl_cache_get(cache, FOREST_PATH, NULL, NULL, &model, NULL), FTL_OK);
    ftl_model_release(model);
    model = NULL;
    ftl_status status = FTL_ARG;
    if (out) /* nobody needs an answer */
        status = ftl_cache_get(cache, FOREST_PATH, NULL, out, &model, NULL);
    ftl_model_release(model);
    ftl_cache_destroy(cache);
    return status;
}

static const struct fact {
    ftl_status (*fill)(const opened *o, void *out);
    size_t size;
} facts[] = {
    {fill_class, sizeof(ftl_class_info)},
    {fill_model, sizeof(ftl_model_info)},
    {fill_input, sizeof(ftl_schema_column)},
    {fill_output, sizeof(ftl_output_column)},
    {fill_session_output, sizeof(ftl_output_column)},
    {fill_label, sizeof(ftl_label)},
    {fill_plan, sizeof(ftl_plan_info)},
    {fill_cache_stats, sizeof(ftl_cache_stats)},
    {fill_cache_answer, sizeof(ftl_cache_answer)},
};

enum { ROOM = 256 };

static void set_room(unsigned char *room, size_t struct_size)
{
    memset(room, 0xee, ROOM);
    memcpy(room, &struct_size, sizeof struct_size);
}

/* Sizes between none and more than the library knows: its own size's bytes, as far as they reach.
 */
static void test_facts_fill_what_the_caller_has(void **state)
{
    (void)state;
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        unsigned char whole[ROOM], part[ROOM], untouched[ROOM];
        size_t size = facts[i].size, bigger = size + 40;
        assert_true(bigger < ROOM);
        set_room(whole, size);
        assert_int_equal(facts[i].fill(&o, whole), FTL_OK);
        for (size_t given = 0; given <= bigger; given++) {
            set_room(part, given);
            set_room(untouched, given);
            if (given < sizeof(size_t)) {
                assert_int_equal(facts[i].fill(&o, part), FTL_ARG);
                assert_memory_equal(part, untouched, ROOM);
                continue;
            }
            assert_int_equal(facts[i].fill(&o, part), FTL_OK);
            size_t both = given < size ? given : size;
            assert_memory_equal(part, &given, sizeof given);
            assert_memory_equal(part + sizeof(size_t), whole + sizeof(size_t),
                                both - sizeof(size_t));
            for (size_t j = both; j < given; j++)
                assert_int_equal(part[j], 0);
            assert_memory_equal(part + given, untouched + given, ROOM - given);
        }
        assert_int_equal(facts[i].fill(&o, NULL), FTL_ARG);
    }
    close_session(&o);
}

static void test_facts_are_true(void **state)
{
    (void)state;
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    ftl_model_info info = {.struct_size = sizeof info};
    ftl_schema_column input = {.struct_size = sizeof input};
    ftl_output_column output = {.struct_size = sizeof output};
    ftl_label label = {.struct_size = sizeof label};
    ftl_class_info class = {.struct_size = sizeof class};
    assert_int_equal(ftl_model_get_info(o.model, &info), FTL_OK);
    assert_int_equal(info.kind, FTL_CLASSIFIER);
    assert_int_equal(info.n_inputs, 7);
    assert_true(info.has_input_names && !info.open_width);
    assert_true(info.bytes > 0 && info.plan_bytes > 0 && info.session_bytes > 0);
    /* The parts are the whole, but for the model's own struct. */
    uint64_t parts = info.bytes + info.plan_bytes + info.session_bytes;
    uint64_t used = ftl_context_memory_used(o.context) - o.empty;
    assert_in_range(used - parts, 0, 64 << 10);
    assert_int_equal(ftl_model_input(o.model, 0, &input), FTL_OK);
    assert_string_equal(input.name, "age");
    assert_int_equal(input.batch_type, FTL_F64);
    assert_int_equal(ftl_model_output(o.model, FTL_PREDICT, 0, &output), FTL_OK);
    assert_string_equal(output.name, "prediction");
    assert_int_equal(output.type, FTL_STRING);
    assert_int_equal(ftl_model_class(o.model, 0, 1, &label), FTL_OK);
    assert_memory_equal(label.text, "stays", 5);
    assert_int_equal(ftl_supported_class(0, &class), FTL_OK);
    assert_true(class.library[0] && class.package[0] && class.name[0]);
    assert_int_equal(ftl_model_get_info(NULL, &info), FTL_ARG);
    assert_int_equal(ftl_model_input(NULL, 0, &input), FTL_ARG);
    assert_int_equal(ftl_model_input(o.model, 7, &input), FTL_ARG);
    assert_int_equal(ftl_model_output(NULL, FTL_PREDICT, 0, &output), FTL_ARG);
    assert_int_equal(ftl_model_output(o.model, FTL_PREDICT, 1, &output), FTL_ARG);
    assert_int_equal(ftl_session_output(NULL, FTL_PREDICT, 0, &output), FTL_ARG);
    assert_int_equal(ftl_session_output(o.session, FTL_PREDICT, 1, &output), FTL_ARG);
    assert_int_equal(ftl_model_output_count(NULL, FTL_PREDICT), 0);
    assert_false(ftl_model_has_method(NULL, FTL_PREDICT));
    assert_int_equal(ftl_model_method_status(NULL, FTL_PREDICT, &o.error), FTL_ARG);
    close_session(&o);
}

/* What inspect prints as the model's bytes leaves out plans and sessions, as ftl_model_info does.
 */
typedef struct text {
    char data[1 << 16];
    size_t size;
} text;

static bool keep_text(void *user, const char *data, size_t size)
{
    text *kept = user;
    assert_true(size < sizeof kept->data);
    memcpy(kept->data, data, size + 1);
    kept->size = size;
    return true;
}

static void test_inspect_tells_the_models_own_bytes(void **state)
{
    (void)state;
    static text kept;
    char want[64];
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    ftl_model_info info = {.struct_size = sizeof info};
    assert_int_equal(ftl_model_get_info(o.model, &info), FTL_OK);
    assert_int_equal(ftl_model_describe(o.model, true, keep_text, &kept, NULL), FTL_OK);
    snprintf(want, sizeof want, "\"bytes\": %llu,", (unsigned long long)info.bytes);
    assert_non_null(strstr(kept.data, want));
    close_session(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_without_a_size_are_refused),
        cmocka_unit_test(test_facts_fill_what_the_caller_has),
        cmocka_unit_test(test_facts_are_true),
        cmocka_unit_test(test_inspect_tells_the_models_own_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
