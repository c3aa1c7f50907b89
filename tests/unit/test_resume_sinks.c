/*
 * Sinks that are left and gone on with: whenever a job was stopped, at whatever place it goes on,
 * the file has the bytes of one that was written at once; and what a file beside it says is not
 * believed when it cannot be true.
 */
#include "table_helper.h"

#include "base/crc64.h"
#include "table/sink.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 400, CUT = 64, MOST = 1 << 20 };

static const char *const endings[] = {"csv",     "json",    "jsonl",    "npy",
                                      "csv.gz",  "csv.bz2", "jsonl.xz", "json.lz4",
                                      "csv.zst", "parquet", "arrow",    "arrows"};
static const char *const stateful[] = {"parquet", "arrow"};

static char folder[64];
static uint32_t seed;

static uint32_t chance(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static const char *in_folder(const char *before, const char *ending, const char *behind)
{
    static char path[4][256];
    static unsigned turn;
    char *out = path[turn++ % 4];
    snprintf(out, sizeof path[0], "%s/%sout.%s%s", folder, before, ending, behind);
    return out;
}

static int make_folder(void **unused)
{
    (void)unused;
    /* in memory where there is such a place: every file is synced */
    const char *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder, sizeof folder, "%s/test_resume_XXXXXX", place);
    return mkdtemp(folder) ? 0 : -1;
}

static size_t files_in_folder(bool remove)
{
    char path[sizeof folder + 256];
    size_t n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        n++;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (remove)
            unlink(path);
    }
    closedir(dir);
    return n;
}

static int remove_folder(void **unused)
{
    (void)unused;
    files_in_folder(true);
    return rmdir(folder);
}

static size_t read_file(const char *path, char *out)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(out, 1, MOST, file);
    assert_true(n < MOST);
    fclose(file);
    return n;
}

static void write_file(const char *path, const char *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static const ftl_sink_column names[] = {
    {"x", FTL_F64}, {"n", FTL_I64}, {"b", FTL_BOOL}, {"kind", FTL_STRING}, {"text", FTL_STRING}};

/* Nulls come and go, and texts have few or many values. */
static void append_rows(ftl_account *account, ftl_sink *sink, bool numbers, size_t from, size_t n)
{
    double x[CUT];
    int64_t integers[CUT];
    uint8_t bools[CUT], validity[CUT / 8] = {0};
    uint32_t kind_at[CUT + 1] = {0}, text_at[CUT + 1] = {0};
    char kinds[CUT * 8], texts[CUT * 24];
    for (size_t i = 0; i < n; i++) {
        size_t row = from + i;
        bool valid = row / CUT % 2 == 0 || row % 7 != 0;
        x[i] = row % 13 ? (double)row / 3 : (double)NAN;
        integers[i] = (int64_t)row * 1000003;
        bools[i] = row % 3 == 0;
        validity[i / 8] |= (uint8_t)(valid << i % 8);
        kind_at[i + 1] = kind_at[i] + (uint32_t)snprintf(kinds + kind_at[i], 8, "k%zu", row % 5);
        text_at[i + 1] = text_at[i] +
                         (uint32_t)snprintf(texts + text_at[i], 24, "\"text, %zu\n", row * row);
    }
    const ftl_column columns[] = {
        {.type = FTL_F64, .values = x, .validity = validity},
        {.type = FTL_I64, .values = integers},
        {.type = FTL_BOOL, .values = bools, .validity = validity},
        {.type = FTL_STRING, .values = kinds, .offsets = kind_at, .validity = validity},
        {.type = FTL_STRING, .values = texts, .offsets = text_at}};
    const ftl_batch batch = {.rows = n, .n_columns = numbers ? 1 : 5, .columns = columns};
    ftl_strbuf piece;
    ftl_strbuf_init(&piece, account, 0);
    assert_int_equal(ftl_sink_format(sink, &batch, NULL, &piece, NULL), FTL_OK);
    assert_int_equal(ftl_sink_append(sink, piece.data, piece.size, n, NULL), FTL_OK);
    ftl_strbuf_free(&piece);
}

/* A sink on its way. */
typedef struct job {
    ftl_account *account;
    const char *ending;
    ftl_sink *sink;
    size_t row;
} job;

static bool is_numbers(const char *ending) { return strcmp(ending, "npy") == 0; }

static uint64_t amounts[ROWS + 1]; /* in front of each row where a piece ended; 0: of none */

static void open_job(job *j, const char *ending)
{
    const ftl_sink_options options = {.path = in_folder("", ending, ""),
                                      .columns = names,
                                      .n_columns = is_numbers(ending) ? 1 : 5,
                                      .resumable = true};
    *j = (job){.account = test_account(), .ending = ending};
    assert_int_equal(ftl_sink_open(j->account, &options, &j->sink, NULL), FTL_OK);
}

/* Appends rows up to one, in pieces of any size. */
static void feed(job *j, size_t to)
{
    while (j->row < to) {
        size_t left = CUT - j->row % CUT, n = 1 + chance(CUT);
        n = n < left ? n : left;
        n = n < to - j->row ? n : to - j->row;
        append_rows(j->account, j->sink, is_numbers(j->ending), j->row, n);
        j->row += n;
        amounts[j->row] = ftl_sink_amount(j->sink);
        if (j->row % CUT == 0)
            assert_int_equal(ftl_sink_cut(j->sink, NULL), FTL_OK);
    }
}

static void finish(job *j, char *out, size_t *size)
{
    feed(j, ROWS);
    assert_int_equal(ftl_sink_commit(j->sink, NULL, NULL), FTL_OK);
    assert_int_equal(ftl_account_used(j->account), 0);
    assert_int_equal(files_in_folder(false), 1);
    *size = read_file(in_folder("", j->ending, ""), out);
    files_in_folder(true);
}

static void write_at_once(const char *ending, char *out, size_t *size)
{
    job j;
    open_job(&j, ending);
    memset(amounts, 0, sizeof amounts);
    assert_int_equal(ftl_sink_begin_anew(j.sink, NULL), FTL_OK);
    amounts[0] = ftl_sink_amount(j.sink);
    finish(&j, out, size);
}

/* A place to go on at: any that there is, or the last one. */
static bool settle(job *j, ftl_sink_place *place, bool last)
{
    size_t row = last ? j->row : chance((uint32_t)j->row + 1);
    while (row > 0 && (amounts[row] == 0 || amounts[row] > ftl_sink_done(j->sink)))
        row--;
    if (row == 0)
        return false;
    assert_int_equal(ftl_sink_settle(j->sink, place, NULL), FTL_OK);
    place->from = amounts[row];
    place->rows = row;
    return true;
}

static void take_up(job *j, const char *ending, const ftl_sink_place *place)
{
    bool holds = false;
    open_job(j, ending);
    if (place->rows == 0) {
        assert_int_equal(ftl_sink_begin_anew(j->sink, NULL), FTL_OK);
        return;
    }
    assert_int_equal(ftl_sink_holds(j->sink, place, &holds, NULL), FTL_OK);
    assert_true(holds);
    assert_int_equal(ftl_sink_go_on(j->sink, place, NULL), FTL_OK);
    j->row = (size_t)place->rows;
    assert_int_equal(ftl_sink_amount(j->sink), place->from);
}

/* ---- Going on -------------------------------------------------------------------------------- */

static char wanted[MOST], got[MOST];

static void has_the_bytes_of_one_written_at_once(void **unused)
{
    (void)unused;
    for (size_t e = 0; e < FTL_ARRAY_LEN(endings); e++) {
        size_t size, want;
        bool slow = strstr(endings[e], ".bz2") || strstr(endings[e], ".xz");
        write_at_once(endings[e], wanted, &want);
        for (uint32_t trial = 0; trial < (slow ? 6 : 40); trial++) {
            seed = trial;
            job j;
            ftl_sink_place place = {0};
            for (uint32_t stops = chance(6); stops > 0; stops--) {
                take_up(&j, endings[e], &place);
                for (uint32_t notes = chance(4); notes > 0; notes--) {
                    feed(&j, j.row + chance((uint32_t)(ROWS - j.row) / 2 + 1));
                    (void)settle(&j, &place, chance(2));
                }
                feed(&j, j.row + chance((uint32_t)(ROWS - j.row) / 2 + 1));
                ftl_sink_leave(j.sink);
                assert_int_equal(ftl_account_used(j.account), 0);
            }
            take_up(&j, endings[e], &place);
            finish(&j, got, &size);
            if (size != want || memcmp(got, wanted, size) != 0)
                fail_msg("%s, trial %u", endings[e], trial);
        }
    }
}

/* Leaves a job of some row groups or record batches, and tells where it can be gone on with. */
static void leave_one(const char *ending, ftl_sink_place *place)
{
    job j;
    open_job(&j, ending);
    assert_int_equal(ftl_sink_begin_anew(j.sink, NULL), FTL_OK);
    feed(&j, 3 * CUT + 5);
    assert_true(settle(&j, place, true));
    ftl_sink_leave(j.sink);
}

/* What is left at a place is not taken; what is written instead is whole all the same. */
static bool is_refused(const char *ending, const ftl_sink_place *place, size_t want)
{
    job j;
    bool holds;
    size_t size;
    open_job(&j, ending);
    assert_int_equal(ftl_sink_holds(j.sink, place, &holds, NULL), FTL_OK);
    if (want) {
        assert_int_equal(ftl_sink_begin_anew(j.sink, NULL), FTL_OK);
        finish(&j, got, &size);
        assert_int_equal(size, want);
        assert_memory_equal(got, wanted, want);
    } else {
        ftl_sink_leave(j.sink);
    }
    assert_int_equal(ftl_account_used(j.account), 0);
    return !holds;
}

static void refuses_what_cannot_be_true(void **unused)
{
    (void)unused;
    static char state[MOST];
    for (size_t e = 0; e < FTL_ARRAY_LEN(stateful); e++) {
        const char *ending = stateful[e], *path = in_folder(".", ending, ".foretell-state");
        ftl_sink_place place;
        size_t want, forged = 0;
        write_at_once(ending, wanted, &want);
        leave_one(ending, &place);
        size_t size = read_file(path, state);
        assert_true(size > 0 && size == place.state);
        for (size_t i = 0; i < size; i++) {
            path = in_folder(".", ending, ".foretell-state");
            state[i] ^= 0x41;
            write_file(path, state, size);
            assert_true(is_refused(ending, &place, 0));
            /* with a checksum that fits: memory and limits hold, whatever becomes of it */
            ftl_sink_place other = place;
            other.sum = ftl_crc64(0, state, size);
            forged += !is_refused(ending, &other, 0);
            state[i] ^= 0x41;
            write_file(path, state, i);
            assert_true(is_refused(ending, &place, 0));
            other = place;
            other.state = i;
            other.sum = ftl_crc64(0, state, i);
            assert_true(is_refused(ending, &other, 0));
        }
        assert_true(forged < size);
        write_file(in_folder(".", ending, ".foretell-state"), state, size);
        const ftl_sink_place others[] = {
            {place.bytes + 1, place.done, place.from, place.rows, size, place.sum},
            {place.bytes - 8, place.done, place.from, place.rows, size, place.sum},
            {UINT64_MAX, place.done, place.from, place.rows, size, place.sum},
            {place.bytes, place.done + 1, place.from, place.rows, size, place.sum},
            {place.bytes, place.from - 1, place.from, place.rows, size, place.sum},
            {place.bytes, UINT64_MAX, place.from, place.rows, size, place.sum},
            {place.bytes, place.done, place.from - 1, place.rows, size, place.sum},
            {place.bytes, place.done, place.from, place.rows, 0, 0},
            {place.bytes, place.done, place.from, place.rows, UINT64_MAX, place.sum}};
        for (size_t i = 0; i < FTL_ARRAY_LEN(others); i++)
            assert_true(is_refused(ending, &others[i], 0));
        assert_false(is_refused(ending, &place, 0));
        unlink(in_folder(".", ending, ".foretell-state"));
        assert_true(is_refused(ending, &place, want));
        leave_one(ending, &place);
        assert_false(is_refused(ending, &place, want)); /* what was taken does not count */
    }
}

/* A text's own file may have been cut, or its place be one of no such text. */
static void refuses_files_that_are_too_short(void **unused)
{
    (void)unused;
    for (size_t e = 0; e < FTL_ARRAY_LEN(endings); e++) {
        ftl_sink_place place;
        size_t want;
        write_at_once(endings[e], wanted, &want);
        leave_one(endings[e], &place);
        assert_false(is_refused(endings[e], &place, 0));
        assert_int_equal(
            truncate(in_folder(".", endings[e], ".foretell-partial"), (off_t)place.bytes - 1), 0);
        assert_true(is_refused(endings[e], &place, want));
    }
}

static void passes_failures_of_memory_on(void **unused)
{
    (void)unused;
    for (size_t e = 0; e < FTL_ARRAY_LEN(endings); e++) {
        ftl_sink_place place;
        ftl_status status = FTL_NOMEM;
        leave_one(endings[e], &place);
        for (long n = 1; status != FTL_OK; n++) {
            job j;
            bool holds;
            open_job(&j, endings[e]);
            fail_after = n;
            status = ftl_sink_holds(j.sink, &place, &holds, NULL);
            if (status == FTL_OK) {
                assert_true(holds);
                status = ftl_sink_go_on(j.sink, &place, NULL);
            }
            fail_after = 0;
            assert_true(status == FTL_OK || status == FTL_NOMEM);
            ftl_sink_leave(j.sink);
            assert_int_equal(ftl_account_used(j.account), 0);
        }
        files_in_folder(true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_bytes_of_one_written_at_once),
        cmocka_unit_test(refuses_what_cannot_be_true),
        cmocka_unit_test(refuses_files_that_are_too_short),
        cmocka_unit_test(passes_failures_of_memory_on),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
