/*
 * Allocation torture of file jobs, through the public header alone: whole jobs of each input
 * format, each output format, several inputs and resumable ones run while the Nth allocation fails,
 * for N = 1, 2, ... Each time either the bytes are those that the job writes ever, or the status is
 * NOMEM, the target is what it was, no other file is left (but those of a resumable job, which the
 * next call goes on with), and all memory is given back. By default N goes mostly in growing steps
 * and the inputs go to one format; FTL_TORTURE=all tries every one.
 */
#include "unit.h"

#include <foretell/foretell.h>

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 40 };

#define DEMO FTL_TEST_DIR "/../examples/demo/model.joblib"

static char folder[] = "/tmp/ftl-torture-XXXXXX";
static const char *const inputs[] = {"csv",      "csv.gz",  "csv.zst", "json",  "jsonl",
                                     "jsonl.xz", "parquet", "arrow",   "arrows"};
static const char *const outputs[] = {"csv",  "csv.gz", "csv.zst", "csv.bz2", "csv.xz", "csv.lz4",
                                      "json", "jsonl",  "parquet", "arrow",   "arrows"};
static const char *const growing[] = {"csv", "jsonl", "csv.gz"};

enum { N_INPUTS = sizeof inputs / sizeof *inputs, N_OUTPUTS = sizeof outputs / sizeof *outputs };

/* ---- The allocator --------------------------------------------------------------------------- */

typedef struct failing {
    atomic_ulong count;
    unsigned long fail_at; /* 0: never */
    bool once;             /* later ones succeed again */
} failing;

static void *failing_realloc(void *user, void *pointer, size_t size)
{
    failing *f = user;
    unsigned long now = atomic_fetch_add(&f->count, 1) + 1;
    if (f->fail_at && (f->once ? now == f->fail_at : now >= f->fail_at))
        return NULL;
    return realloc(pointer, size);
}

static void failing_free(void *user, void *pointer)
{
    (void)user;
    free(pointer);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static const char *in_folder(const char *name, const char *ending)
{
    static char paths[16][256];
    static unsigned turn;
    char *path = paths[turn++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s.%s", folder, name, ending);
    return path;
}

typedef struct bytes {
    char *data;
    size_t size;
} bytes;

static bytes read_file(const char *path)
{
    enum { MOST = 1 << 20 };
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("there is no %s", path);
    bytes out = {malloc(MOST), 0};
    assert_non_null(out.data);
    out.size = fread(out.data, 1, MOST, file);
    fclose(file);
    return out;
}

static void write_old(const char *path)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs("old", file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static bool holds(const char *path, bytes wanted)
{
    bytes is = read_file(path);
    bool same = is.size == wanted.size && memcmp(is.data, wanted.data, is.size) == 0;
    free(is.data);
    return same;
}

/* Entries but for ".", ".." and the two files of a resumable job. */
static size_t entries(void)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
             !strstr(entry->d_name, ".foretell-partial") &&
             !strstr(entry->d_name, ".foretell-journal");
    closedir(dir);
    return n;
}

static bool remains(const char *ending)
{
    char name[64];
    snprintf(name, sizeof name, "/.out.%s.foretell-", ending);
    char journal[256], partial[256];
    snprintf(journal, sizeof journal, "%s%sjournal", folder, name);
    snprintf(partial, sizeof partial, "%s%spartial", folder, name);
    return access(journal, F_OK) == 0 || access(partial, F_OK) == 0;
}

/* ---- Jobs ------------------------------------------------------------------------------------ */

typedef struct job {
    failing f;
    ftl_context *context;
    ftl_model *model;
    uint64_t used;
} job;

static void begin(job *j, uint32_t threads)
{
    const ftl_allocator allocator = {failing_realloc, failing_free, &j->f};
    const ftl_context_options options = {
        .struct_size = sizeof options, .allocator = &allocator, .threads = threads};
    ftl_error error;
    j->f.fail_at = 0;
    if (ftl_context_create(&options, &j->context, &error) != FTL_OK ||
        ftl_model_open(j->context, DEMO, NULL, &j->model, &error) != FTL_OK)
        fail_msg("%s", error.message);
}

static void end(job *j)
{
    ftl_model_release(j->model);
    ftl_context_destroy(j->context);
}

static const char *const kept[] = {"plan", "age", "note", "support_calls"};

static ftl_score_options options_of(const char *const *more, size_t n_more, bool resume)
{
    return (ftl_score_options){.struct_size = sizeof(ftl_score_options),
                               .proba = true,
                               .batch_rows = 9,
                               .keep = kept,
                               .n_keep = 4,
                               .resume = resume,
                               .more_inputs = more,
                               .n_more_inputs = n_more};
}

typedef struct run {
    const char *in, *out, *ending;
    ftl_score_options options;
    bytes wanted;
    size_t entries;
} run;

static ftl_status once(job *j, const run *r, unsigned long fail_at, ftl_error *error)
{
    atomic_store(&j->f.count, 0);
    j->f.fail_at = fail_at;
    ftl_status status = ftl_score(j->model, r->in, r->out, &r->options, NULL, error);
    j->f.fail_at = 0;
    ftl_model_trim(j->model);
    return status;
}

static void try_at(job *j, const run *r, unsigned long n)
{
    ftl_error error;
    write_old(r->out);
    ftl_status status = once(j, r, n, &error);
    if (status != FTL_OK && status != FTL_NOMEM)
        fail_msg("%s to %s, allocation %lu: %s: %s", r->in, r->out, n, ftl_status_name(status),
                 error.message);
    if (ftl_context_memory_used(j->context) != j->used)
        fail_msg("%s to %s, allocation %lu: memory is not given back", r->in, r->out, n);
    assert_int_equal(entries(), r->entries);
    if (status == FTL_NOMEM && !holds(r->out, (bytes){(char[]){"old"}, 3}))
        fail_msg("%s to %s, allocation %lu: the target was changed", r->in, r->out, n);
    if (status == FTL_NOMEM && r->options.resume && once(j, r, 0, &error) != FTL_OK)
        fail_msg("%s to %s, after allocation %lu: %s", r->in, r->out, n, error.message);
    if ((status == FTL_OK || r->options.resume) && !holds(r->out, r->wanted))
        fail_msg("%s to %s, allocation %lu: other bytes", r->in, r->out, n);
    if (remains(r->ending))
        fail_msg("%s to %s, allocation %lu: files remain", r->in, r->out, n);
}

static bool want_all(void)
{
    const char *mode = getenv("FTL_TORTURE");
    return mode && strcmp(mode, "all") == 0;
}

static void torture(job *j, const char *in, const char *ending, ftl_score_options options, bool all)
{
    run r = {.in = in, .out = in_folder("out", ending), .ending = ending, .options = options};
    ftl_error error;
    for (int i = 0; i < 2; i++) { /* the first one makes the executor, which stays */
        if (once(j, &r, 0, &error) != FTL_OK)
            fail_msg("%s to %s: %s", in, ending, error.message);
        j->used = ftl_context_memory_used(j->context);
    }
    unsigned long total = atomic_load(&j->f.count);
    r.wanted = read_file(r.out);
    r.entries = entries();
    for (int k = 0; k < 2; k++) {
        j->f.once = k;
        for (unsigned long n = 1; n <= total + 1; n += all ? 1 : 1 + n / 12)
            try_at(j, &r, n);
    }
    free(r.wanted.data);
    assert_int_equal(unlink(r.out), 0);
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static int make_folder(void **unused)
{
    (void)unused;
    if (!mkdtemp(folder))
        return -1;
    FILE *file = fopen(in_folder("made", "csv"), "wb");
    if (!file)
        return -1;
    fputs("age,tenure_months,monthly_charge,support_calls,plan,region,payment,note\n", file);
    for (int i = 0; i < ROWS; i++)
        fprintf(file, "%d,%d,%s,%d,%s,%s,%s,\"note %d, \"\"so\"\"\"\n", 20 + i, 3 * i,
                i % 5 ? "49.25" : "", i % 4, i % 2 ? "basic" : "family", i % 3 ? "east" : "west",
                i % 7 ? "card" : "", i);
    return fclose(file);
}

static int remove_folder(void **unused)
{
    (void)unused;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

/* The same rows in each format, as a job keeps them. */
static void make_inputs(job *j)
{
    static const char *const all[] = {"age",  "tenure_months", "monthly_charge", "support_calls",
                                      "plan", "region",        "payment",        "note"};
    const ftl_score_options options = {.struct_size = sizeof options, .keep = all, .n_keep = 8};
    ftl_error error;
    for (size_t i = 0; i < N_INPUTS; i++) {
        if (ftl_score(j->model, in_folder("made", "csv"), in_folder("rows", inputs[i]), &options,
                      NULL, &error) != FTL_OK)
            fail_msg("%s: %s", inputs[i], error.message);
    }
}

static void each_input(void **unused)
{
    (void)unused;
    job j = {0};
    begin(&j, 1);
    make_inputs(&j);
    for (size_t i = 0; i < N_INPUTS; i++)
        torture(&j, in_folder("rows", inputs[i]), "csv", options_of(NULL, 0, false), want_all());
    end(&j);
}

static void each_output(void **unused)
{
    (void)unused;
    job j = {0};
    begin(&j, 1);
    make_inputs(&j);
    size_t n = want_all() ? N_INPUTS : 1;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < N_OUTPUTS; k++)
            torture(&j, in_folder("rows", inputs[i]), outputs[k], options_of(NULL, 0, false),
                    want_all());
    }
    end(&j);
}

static void several_inputs(void **unused)
{
    (void)unused;
    job j = {0};
    begin(&j, 3);
    make_inputs(&j);
    char paths[N_INPUTS][256];
    const char *more[N_INPUTS];
    for (size_t i = 0; i < N_INPUTS; i++) {
        snprintf(paths[i], sizeof paths[i], "%s", in_folder("rows", inputs[i]));
        more[i] = paths[i];
    }
    torture(&j, in_folder("made", "csv"), "csv", options_of(more, N_INPUTS, false), want_all());
    torture(&j, in_folder("made", "csv"), "parquet", options_of(more, N_INPUTS, false), want_all());
    torture(&j, in_folder("made", "csv"), "jsonl", options_of(more, N_INPUTS, true), want_all());
    end(&j);
}

static void resumable_jobs(void **unused)
{
    (void)unused;
    job j = {0};
    begin(&j, 1);
    make_inputs(&j);
    for (size_t i = 0; i < N_INPUTS; i++) {
        for (size_t k = 0; k < sizeof growing / sizeof *growing; k++)
            torture(&j, in_folder("rows", inputs[i]), growing[k], options_of(NULL, 0, true),
                    want_all() || (i == 0 && k == 0));
    }
    end(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_input),
        cmocka_unit_test(each_output),
        cmocka_unit_test(several_inputs),
        cmocka_unit_test(resumable_jobs),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
