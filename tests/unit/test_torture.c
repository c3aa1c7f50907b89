/*
 * Allocation torture: a model is opened, described and run while the Nth allocation fails, for N =
 * 1, 2, … until nothing fails any more. Every failure must be NOMEM, and everything must be given
 * back (AddressSanitizer sees leaks; the account must be empty). By default every Nth is tried up
 * to a bound and then in growing steps; FTL_TORTURE=all tries every one.
 */
#include "../../fuzz/fuzz_model.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef struct failing {
    unsigned long count, fail_at; /* fail_at 0: never */
} failing;

static void *failing_realloc(void *user, void *pointer, size_t size)
{
    failing *f = user;
    f->count++;
    if (f->fail_at && f->count >= f->fail_at)
        return NULL; /* memory stays exhausted */
    return realloc(pointer, size);
}

static void failing_free(void *user, void *pointer)
{
    (void)user;
    free(pointer);
}

/* Opens, describes and runs; NOMEM when the allocator failed on the way. */
static ftl_status attempt(failing *f, const void *data, size_t size)
{
    const ftl_allocator allocator = {failing_realloc, failing_free, f};
    const ftl_context_options options = {
        .struct_size = sizeof options, .allocator = &allocator, .threads = 1};
    ftl_context *context = NULL;
    ftl_error error;
    f->count = 0;
    if (ftl_context_create(&options, &context, &error) != FTL_OK)
        return error.code;
    uint64_t before = ftl_context_memory_used(context);
    ftl_model *model = NULL;
    ftl_status status = ftl_model_open_memory(context, data, size, NULL, &model, &error);
    if (status == FTL_OK)
        status = fuzz_predict(model);
    else if (status != FTL_NOMEM)
        fail_msg("opening fails with %s: %s", ftl_status_name(status), error.message);
    ftl_model_release(model);
    assert_int_equal(ftl_context_memory_used(context), before);
    ftl_context_destroy(context);
    return status;
}

static void torture_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    static unsigned char data[1 << 20];
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    failing f = {0};
    assert_int_equal(attempt(&f, data, size), FTL_OK);
    unsigned long total = f.count;
    const char *mode = getenv("FTL_TORTURE");
    unsigned long bound = mode && strcmp(mode, "all") == 0 ? total : 150;
    for (unsigned long n = 1; n <= total; n += n < bound ? 1 : 1 + total / 60) {
        f.fail_at = n;
        ftl_status status = attempt(&f, data, size);
        /* where blocks lie decides what still fits in them: the last one may not be needed */
        bool needed = f.count >= n;
        if (status != (needed ? FTL_NOMEM : FTL_OK))
            fail_msg("%s: allocation %lu of %lu failed, and the result was %s", path, n, total,
                     ftl_status_name(status));
    }
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    char folder[] = FTL_TEST_DIR "/../fuzz/corpus/model";
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int files = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[1024];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        torture_file(path);
        files++;
    }
    closedir(dir);
    assert_true(files > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
