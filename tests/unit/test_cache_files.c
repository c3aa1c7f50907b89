/* The cache of models while its files change. */
#include "cache_fixture.h"

/* ---- Files that change ------------------------------------------------------------------------ */

static void test_a_file_that_is_rewritten_is_opened_again(void **state)
{
    (void)state;
    fixture f = begin_strict(0);
    const char *path = put(FOREST, "a");
    settle();
    assert_int_equal(ask_columns(&f, path), n_forest);
    assert_true(ask(&f, path));
    copy_over(OTHER, path); /* in place */
    settle();
    assert_int_equal(ask_columns(&f, path), n_other);
    assert_false(last.hit);
    assert_true(ask(&f, path));
    copy_over(FOREST, in_folder("new"));
    settle();
    assert_int_equal(rename(in_folder("new"), path), 0); /* another inode */
    assert_int_equal(ask_columns(&f, path), n_forest);
    assert_int_equal(stats_of(&f).models, 1);
    assert_int_equal(stats_of(&f).invalidations, 2);
    assert_int_equal(stats_of(&f).loads, 3);
    end(&f);
}

static void test_a_touched_file_is_opened_again(void **state)
{
    (void)state;
    fixture f = begin_strict(0);
    const char *path = put(FOREST, "a");
    settle();
    ftl_model *before = get(&f, path);
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    settle();
    ftl_model *after = get(&f, path);
    assert_false(last.hit);
    assert_ptr_not_equal(before, after);
    ftl_model_release(before);
    ftl_model_release(after);
    end(&f);
}

/* As `cp -p` and rsync do: the bytes change, size and time stay. */
static void test_a_time_that_is_set_back_hides_nothing(void **state)
{
    (void)state;
    fixture f = begin_strict(0);
    const char *path = put(FOREST, "a");
    struct stat st;
    settle();
    assert_int_equal(stat(path, &st), 0);
    ask(&f, path);
    copy_over(FOREST, path);
    const struct timespec times[2] = {st.st_atim, st.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    settle();
    assert_false(ask(&f, path));
    assert_true(ask(&f, path));
    end(&f);
}

/* Opened within a grain of the clock after it was written: it may change without a trace. */
static void test_a_file_just_written_is_read_again_later(void **state)
{
    (void)state;
    fixture f = begin_strict(0);
    const char *path = put(FOREST, "a");
    ask(&f, path);
    settle();
    assert_false(ask(&f, path));
    assert_true(ask(&f, path));
    settle();
    assert_true(ask(&f, path));
    end(&f);
}

static void test_a_link_that_is_switched_leads_to_the_new_file(void **state)
{
    (void)state;
    fixture f = begin_strict(0);
    const char *one = put(FOREST, "v1"), *two = put(OTHER, "v2"), *link = in_folder("current");
    unlink(link);
    assert_int_equal(symlink("v1", link), 0);
    settle();
    assert_int_equal(ask_columns(&f, one), n_forest);
    assert_int_equal(ask_columns(&f, link), n_forest);
    assert_int_equal(stats_of(&f).models, 1);
    unlink(link);
    assert_int_equal(symlink("v2", link), 0);
    assert_int_equal(ask_columns(&f, link), n_other);
    assert_int_equal(ask_columns(&f, one), n_forest);
    assert_true(last.hit);
    assert_int_equal(ask_columns(&f, two), n_other);
    assert_true(last.hit);
    end(&f);
    unlink(link);
}

static void test_a_half_written_file_leaves_the_old_model(void **state)
{
    (void)state;
    static unsigned char data[1 << 20];
    fixture f = begin_strict(0);
    const char *path = put(FOREST, "a"), *other = put(OTHER, "b");
    size_t size = read_file(other, data, sizeof data);
    settle();
    ask(&f, path);
    write_file(path, data, size / 2);
    settle();
    assert_int_equal(ask_columns(&f, path), n_forest);
    assert_true(last.hit && last.stale);
    uint64_t loads = stats_of(&f).loads;
    assert_int_equal(stats_of(&f).failures, 1);
    assert_int_equal(ask_columns(&f, path), n_forest);
    assert_true(last.stale);
    assert_int_equal(stats_of(&f).loads, loads); /* it has not changed: not tried again */
    assert_int_equal(stats_of(&f).stale_hits, 2);
    write_file(path, data, size);
    settle();
    assert_int_equal(ask_columns(&f, path), n_other);
    assert_false(last.stale);
    assert_true(ask(&f, path) && !last.stale);
    end(&f);
}

static void test_the_reason_of_a_stale_model_is_told(void **state)
{
    (void)state;
    fixture f = begin_with((ftl_cache_options){.check_interval_ms = 50}, 0);
    const char *path = put(FOREST, "a");
    settle();
    ask(&f, path);
    write_file(path, "no model", 8);
    settle();
    assert_true(ask(&f, path));
    assert_true(last.stale);
    assert_true(ask(&f, path)); /* needs no look */
    assert_true(last.stale);
    ftl_cache_model model = {0};
    assert_int_equal(ftl_cache_each(f.cache, note_model, &model, NULL), FTL_OK);
    assert_true(model.stale);
    assert_true(strlen(model.error_message) > 0);
    assert_int_equal(model.failures, 1);
    assert_int_equal(model.hits, 2);
    copy_over(FOREST, path);
    settle();
    assert_false(ask(&f, path));
    assert_int_equal(ftl_cache_each(f.cache, note_model, &model, NULL), FTL_OK);
    assert_false(model.stale);
    assert_string_equal(model.error_message, "");
    assert_int_equal(model.loads, 2); /* that succeeded */
    assert_int_equal(model.hits, 2);  /* of the file's earlier version */
    end(&f);
}

static void test_a_file_that_is_gone_is_an_error(void **state)
{
    (void)state;
    fixture f = begin_strict(0);
    const char *path = put(FOREST, "a");
    ftl_error error;
    settle();
    ask(&f, path);
    unlink(path);
    assert_int_equal(try_get(&f, path, &error), FTL_IO);
    assert_non_null(strstr(error.message, path));
    assert_int_equal(stats_of(&f).models, 0);
    assert_int_equal(stats_of(&f).invalidations, 1);
    copy_over(OTHER, path);
    assert_int_equal(ask_columns(&f, path), n_other);
    end(&f);
}

/* Neither there nor gone: a link to itself. */
static void test_a_file_that_cannot_be_seen_leaves_the_old_model(void **state)
{
    (void)state;
    fixture f = begin_strict(0);
    const char *path = put(FOREST, "a");
    settle();
    ask(&f, path);
    unlink(path);
    assert_int_equal(symlink("a", path), 0);
    assert_int_equal(ask_columns(&f, path), n_forest);
    assert_true(last.hit && last.stale);
    unlink(path);
    copy_over(OTHER, path);
    assert_int_equal(ask_columns(&f, path), n_other);
    end(&f);
}

static void test_files_are_looked_at_once_an_interval(void **state)
{
    (void)state;
    fixture f = begin_with((ftl_cache_options){.check_interval_ms = 800}, 0);
    const char *path = put(FOREST, "a");
    const struct timespec interval = {.tv_nsec = 900 * 1000 * 1000};
    settle();
    assert_int_equal(ask_columns(&f, path), n_forest);
    nanosleep(&interval, NULL);
    assert_int_equal(ask_columns(&f, path), n_forest); /* looks */
    copy_over(OTHER, path);
    assert_int_equal(ask_columns(&f, path), n_forest); /* known, and documented */
    assert_true(last.hit);
    nanosleep(&interval, NULL);
    assert_int_equal(ask_columns(&f, path), n_other);
    end(&f);
}

/* ---- Other files of a model ------------------------------------------------------------------- */

/* The pickle of a list of names, for options.labels. */
static void put_labels(const char *path, const char *first)
{
    char data[128];
    int n = snprintf(data, sizeof data, "(lp0\nV%s\np1\naVbb\np2\na.", first);
    write_file(path, data, (size_t)n);
}

static void first_class(const ftl_model *model, char *out, size_t room)
{
    ftl_label label = {.struct_size = sizeof label};
    assert_int_equal(ftl_model_class(model, 0, 0, &label), FTL_OK);
    assert_int_equal(label.type, FTL_STRING);
    snprintf(out, room, "%.*s", (int)label.size, label.text);
}

static void test_files_that_options_name_are_watched(void **state)
{
    (void)state;
    fixture f = begin_strict(0);
    char name[32];
    const char *path = put("1.9-logreg_weight", "a"), *labels = in_folder("labels.pkl");
    put_labels(labels, "aa");
    settle();
    const ftl_model_options options = {.struct_size = sizeof options, .labels = labels};
    ftl_model *model = get_with(&f, path, &options);
    first_class(model, name, sizeof name);
    assert_string_equal(name, "aa");
    ftl_model_release(model);
    ftl_model_release(get_with(&f, path, &options));
    assert_true(last.hit);
    put_labels(labels, "zz");
    settle();
    model = get_with(&f, path, &options);
    assert_false(last.hit);
    first_class(model, name, sizeof name);
    assert_string_equal(name, "zz");
    ftl_model_release(model);
    ftl_model_release(get_with(&f, path, &options));
    assert_true(last.hit);
    unlink(labels);
    ftl_model_release(get_with(&f, path, &options));
    assert_true(last.stale);
    end(&f);
}

/* The side file of a dump of joblib's before 0.10: two coefficients. */
static void put_coefficients(const char *path, double first, double second)
{
    const double numbers[2] = {first, second};
    char data[128 + sizeof numbers];
    memset(data, ' ', sizeof data);
    memcpy(data, "\x93NUMPY\x01\x00\x76\x00", 10);
    static const char header[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }";
    memcpy(data + 10, header, sizeof header - 1);
    data[127] = '\n';
    memcpy(data + 128, numbers, sizeof numbers);
    write_file(path, data, sizeof data);
}

/* What the model says of the row (1, 10). */
static double predict_one(const fixture *f, const char *path)
{
    const double row[2] = {1, 10};
    double out = 0;
    ftl_model *model = get(f, path);
    ftl_plan *plan = NULL;
    ftl_session *session = NULL;
    const ftl_matrix in = {.data = row,
                           .dtype = FTL_F64,
                           .rows = 1,
                           .columns = 2,
                           .row_stride = 2,
                           .column_stride = 1};
    assert_int_equal(ftl_model_plan(model, NULL, &plan, NULL), FTL_OK);
    assert_int_equal(ftl_plan_borrow(plan, &session, NULL), FTL_OK);
    assert_int_equal(ftl_predict_matrix(session, FTL_PREDICT, &in, &out, NULL), FTL_OK);
    ftl_plan_return(session);
    ftl_plan_release(plan);
    ftl_model_release(model);
    return out;
}

static void test_side_files_are_watched(void **state)
{
    (void)state;
    static unsigned char data[1 << 16];
    fixture f = begin_strict(0);
    const char *path = in_folder("old"), *side = in_folder("missing_01.npy");
    const char *sub = in_folder("sub"), *linked = in_folder("sub/old");
    size_t size = read_file(FTL_TEST_DIR "/corpus/files/joblib-side-missing.joblib", data,
                            sizeof data);
    write_file(path, data, size);
    put_coefficients(side, 1, 2);
    settle();
    assert_true(predict_one(&f, path) == 21.5);
    assert_true(predict_one(&f, path) == 21.5);
    assert_true(last.hit);
    put_coefficients(side, 3, 4);
    settle();
    assert_true(predict_one(&f, path) == 43.5);
    assert_false(last.hit);
    assert_true(predict_one(&f, path) == 43.5);
    assert_true(last.hit);
    assert_int_equal(stats_of(&f).models, 1);
    /* The same file in another folder has other side files. */
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(link(path, linked), 0);
    put_coefficients(in_folder("sub/missing_01.npy"), 5, 6);
    settle();
    assert_true(predict_one(&f, linked) == 65.5);
    assert_true(predict_one(&f, path) == 43.5);
    /* Without the side file the new one cannot be opened. */
    unlink(side);
    assert_true(predict_one(&f, path) == 43.5);
    assert_true(last.stale);
    end(&f);
    unlink(linked);
    unlink(in_folder("sub/missing_01.npy"));
    rmdir(sub);
}

static void test_entries_are_requests_of_their_own(void **state)
{
    (void)state;
    static unsigned char data[1 << 20];
    char from[512];
    const char *path = in_folder("bundle");
    fixture f = begin(0);
    /* a dict of a model, written around the model's own pickle: {'m': ...} */
    snprintf(from, sizeof from, FTL_TEST_DIR "/../fuzz/corpus/model/%s", LOGREG);
    size_t size = read_file(from, data + 16, sizeof data - 16);
    size_t begun = data[16] == 0x80 ? 2 : 0;
    assert_int_equal(begun, 2);
    unsigned char *head = data + 16 + begun - 6 - 2;
    memcpy(head, "\x80\x04}U\x01m", 6);
    memcpy(head + 6, data + 16 + begun, 0);
    memmove(head + 6, data + 16 + begun, size - begun);
    size_t whole = 6 + size - begun;
    head[whole - 1] = 's';
    head[whole] = '.';
    write_file(path, head, whole + 1);
    settle();
    char with_entry[300];
    snprintf(with_entry, sizeof with_entry, "%s:m", path);
    const ftl_model_options options = {.struct_size = sizeof options, .select = "m"};
    ftl_model *by_path = get(&f, with_entry);
    assert_false(last.hit);
    ftl_model *by_option = get_with(&f, path, &options);
    assert_true(last.hit);
    assert_ptr_equal(by_path, by_option);
    ftl_model_release(get(&f, path));
    assert_false(last.hit); /* chosen by itself: its note may differ */
    ftl_cache_model model = {0};
    assert_int_equal(ftl_cache_evict(f.cache, with_entry), 1);
    assert_int_equal(ftl_cache_each(f.cache, note_model, &model, NULL), FTL_OK);
    assert_null(model.select);
    ftl_model_release(by_path);
    ftl_model_release(by_option);
    ftl_error error;
    snprintf(with_entry, sizeof with_entry, "%s:nothing", path);
    assert_int_not_equal(try_get(&f, with_entry, &error), FTL_OK);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_that_is_rewritten_is_opened_again),
        cmocka_unit_test(test_a_touched_file_is_opened_again),
        cmocka_unit_test(test_a_time_that_is_set_back_hides_nothing),
        cmocka_unit_test(test_a_file_just_written_is_read_again_later),
        cmocka_unit_test(test_a_link_that_is_switched_leads_to_the_new_file),
        cmocka_unit_test(test_a_half_written_file_leaves_the_old_model),
        cmocka_unit_test(test_the_reason_of_a_stale_model_is_told),
        cmocka_unit_test(test_a_file_that_is_gone_is_an_error),
        cmocka_unit_test(test_a_file_that_cannot_be_seen_leaves_the_old_model),
        cmocka_unit_test(test_files_are_looked_at_once_an_interval),
        cmocka_unit_test(test_files_that_options_name_are_watched),
        cmocka_unit_test(test_side_files_are_watched),
        cmocka_unit_test(test_entries_are_requests_of_their_own),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
