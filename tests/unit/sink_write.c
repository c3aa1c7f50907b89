/*
 * Writes a table that a recipe describes through a sink, for tests that read it with other
 * programs; tests/python/sinks.py makes the same values.
 *
 *     sink_write OUTPUT ROWS BATCH SKIP COMPRESSION COLUMN...
 *
 * SKIP: every so many rows one is left out, 0: none; COMPRESSION: "-" is the usual one. A column is
 * TYPE[,NULLS]: f64, f32, i64, u64, bool, tN (N distinct texts), u (a text of its own in each row),
 * l (texts up to 200,000 bytes) or a (short ones of ASCII); NULLS: every so many rows one is null,
 * 1: all.
 */
#include "table/sink.h"

#include <foretell/foretell.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_COLUMNS = 4096, MOST_TEXT = 200000, TEXT_ROOM = 64 };

typedef struct recipe {
    ftl_type type;
    char kind; /* of texts */
    uint64_t distinct, nulls;
    void *values;
    size_t room;
    uint32_t *offsets;
    uint8_t *validity;
} recipe;

/* SplitMix64's finalizer. */
static uint64_t scramble(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t random_at(uint64_t column, uint64_t row)
{
    return scramble((column << 40) + row + UINT64_C(0x9e3779b97f4a7c15));
}

static bool is_null(const recipe *r, uint64_t column, uint64_t row)
{
    return r->nulls && scramble(random_at(column, row)) % r->nulls == 0;
}

/* Every tenth number is one of those that statistics have rules for. */
static double float_at(uint64_t h)
{
    static const uint64_t nan_bits = UINT64_C(0x7ff8000000000000);
    double nan;
    memcpy(&nan, &nan_bits, sizeof nan);
    switch (h % 50) {
    case 0:
        return nan;
    case 1:
        return -0.0;
    case 2:
        return 0.0;
    case 3:
        return (double)((int64_t)h >> 40);
    default:
        return (double)((int64_t)h >> 11) / 1048576;
    }
}

static size_t text_at(const recipe *r, uint64_t row, uint64_t h, char *out)
{
    static const char *const marks[] = {"", "é", "漢字", "😀", "\xef\xbf\xbf", "\x01\"\n"};
    if (r->kind == 'a')
        return (size_t)snprintf(out, TEXT_ROOM, "id-%u", (unsigned)(h >> 40));
    uint64_t n = r->kind == 't' ? h % r->distinct : row;
    int size = snprintf(out, TEXT_ROOM, "%s%llu", marks[n % 6], (unsigned long long)n);
    if (r->kind == 't' && n == 0)
        return 0;
    if (r->kind != 'l' || h % 100)
        return (size_t)size;
    size_t total = (size_t)(h >> 20) % MOST_TEXT;
    if (total < (size_t)size)
        return (size_t)size;
    memset(out + size, 'x', total - (size_t)size);
    return total;
}

static void fill_texts(recipe *r, uint64_t column, uint64_t first, size_t rows)
{
    size_t used = 0;
    r->offsets[0] = 0;
    for (size_t i = 0; i < rows; i++) {
        if (used + MOST_TEXT + TEXT_ROOM > r->room) {
            r->room = r->room * 2 + MOST_TEXT + TEXT_ROOM;
            r->values = realloc(r->values, r->room);
            if (!r->values)
                exit(1);
        }
        used += text_at(r, first + i, random_at(column, first + i), (char *)r->values + used);
        r->offsets[i + 1] = (uint32_t)used;
    }
}

static void fill(recipe *r, uint64_t column, uint64_t first, size_t rows)
{
    if (r->type == FTL_STRING)
        fill_texts(r, column, first, rows);
    if (r->validity)
        memset(r->validity, 0, rows / 8 + 1);
    for (size_t i = 0; i < rows; i++) {
        uint64_t h = random_at(column, first + i);
        if (r->validity && !is_null(r, column, first + i))
            r->validity[i / 8] = (uint8_t)(r->validity[i / 8] | 1u << i % 8);
        if (r->type == FTL_F64)
            ((double *)r->values)[i] = float_at(h);
        else if (r->type == FTL_F32)
            ((float *)r->values)[i] = (float)float_at(h);
        else if (r->type == FTL_BOOL)
            ((uint8_t *)r->values)[i] = h & 1;
        else if (r->type != FTL_STRING)
            ((uint64_t *)r->values)[i] = h;
    }
}

static bool parse(const char *text, recipe *r, size_t batch)
{
    static const struct {
        const char *name;
        ftl_type type;
    } types[] = {{"f64", FTL_F64},  {"f32", FTL_F32},   {"i64", FTL_I64},
                 {"u64", FTL_U64},  {"bool", FTL_BOOL}, {"t", FTL_STRING},
                 {"u", FTL_STRING}, {"l", FTL_STRING},  {"a", FTL_STRING}};
    const char *comma = strchr(text, ',');
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t size = strlen(types[i].name);
        if (strncmp(text, types[i].name, size) != 0)
            continue;
        *r = (recipe){.type = types[i].type, .kind = text[0]};
        r->distinct = types[i].name[0] == 't' ? strtoull(text + 1, NULL, 10) : 0;
        r->nulls = comma ? strtoull(comma + 1, NULL, 10) : 0;
        r->room = (batch + 1) * 8;
        r->values = calloc(r->room, 1);
        r->offsets = calloc(batch + 1, sizeof *r->offsets);
        r->validity = r->nulls ? calloc(batch / 8 + 1, 1) : NULL;
        return r->values && r->offsets && (r->validity || !r->nulls);
    }
    return false;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct job {
    ftl_account account;
    ftl_sink *sink;
    recipe columns[MOST_COLUMNS];
    ftl_sink_column names[MOST_COLUMNS];
    char name_texts[MOST_COLUMNS][16];
    ftl_column views[MOST_COLUMNS];
    size_t n;
    uint8_t *skip;
    double seconds; /* in the sink */
} job;

static ftl_status write_batch(job *j, uint64_t first, size_t rows, uint64_t skip, ftl_error *error)
{
    size_t kept = rows;
    for (size_t c = 0; c < j->n; c++) {
        fill(&j->columns[c], c, first, rows);
        j->views[c] = (ftl_column){.type = j->columns[c].type,
                                   .values = j->columns[c].values,
                                   .offsets = j->columns[c].offsets,
                                   .validity = j->columns[c].validity};
    }
    for (size_t i = 0; skip && i < rows; i++) {
        j->skip[i] = (first + i) % skip == 0;
        kept -= j->skip[i];
    }
    const ftl_batch batch = {.rows = rows, .n_columns = j->n, .columns = j->views};
    static ftl_strbuf piece;
    if (!piece.account)
        ftl_strbuf_init(&piece, &j->account, 0);
    ftl_strbuf_clear(&piece);
    double begun = now();
    ftl_status status = ftl_sink_format(j->sink, &batch, skip ? j->skip : NULL, &piece, error);
    if (status == FTL_OK)
        status = ftl_sink_append(j->sink, piece.data, piece.size, kept, error);
    j->seconds += now() - begun;
    return status;
}

int main(int argc, char **argv)
{
    static job j;
    ftl_error error;
    if (argc < 7 || argc - 6 > MOST_COLUMNS)
        return 2;
    uint64_t rows = strtoull(argv[2], NULL, 10), skip = strtoull(argv[4], NULL, 10);
    size_t most = strtoull(argv[3], NULL, 10);
    ftl_account_init(&j.account, NULL, 0);
    j.skip = calloc(most, 1);
    for (; 6 + (int)j.n < argc; j.n++) {
        if (!parse(argv[6 + j.n], &j.columns[j.n], most))
            return 2;
        snprintf(j.name_texts[j.n], sizeof j.name_texts[0], "c%zu", j.n);
        j.names[j.n] = (ftl_sink_column){j.name_texts[j.n], j.columns[j.n].type};
    }
    const ftl_sink_options options = {.path = argv[1],
                                      .columns = j.names,
                                      .n_columns = j.n,
                                      .format = strcmp(argv[1], "-") == 0 ? "parquet" : NULL,
                                      .compression = strcmp(argv[5], "-") == 0 ? NULL : argv[5]};
    ftl_status status = ftl_sink_open(&j.account, &options, &j.sink, &error);
    bool opened = status == FTL_OK;
    for (uint64_t at = 0; status == FTL_OK && at < rows; at += most)
        status = write_batch(&j, at, rows - at < most ? (size_t)(rows - at) : most, skip, &error);
    if (status == FTL_OK) {
        double begun = now();
        status = ftl_sink_commit(j.sink, NULL, &error);
        fprintf(stderr, "%.1f ns a row\n", 1e9 * (j.seconds + now() - begun) / (double)rows);
    } else if (opened) {
        ftl_sink_abort(j.sink);
    }
    if (status != FTL_OK) {
        fprintf(stderr, "sink_write: %s\n", error.message);
        return 1;
    }
    return 0;
}
