/*
 * parquet_dump [-b ROWS] [-q] FILE [COLUMN…]: the rows of a Parquet file as JSON lines, one array a
 * row; -q: none, only whether they can be read; -s: the schema. Without columns all that can be
 * read are.
 */
#include "table/parquet_rows.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 4096 };

static void show_text(const char *text, size_t size)
{
    putchar('"');
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == '"' || c == '\\')
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void show_number(double value)
{
    char text[FTL_F64_TEXT_SIZE];
    if (isnan(value))
        fputs("NaN", stdout);
    else if (isinf(value))
        fputs(value < 0 ? "-Infinity" : "Infinity", stdout);
    else
        fwrite(text, 1, ftl_print_f64(value, text), stdout);
}

static void show(const ftl_column *c, size_t row)
{
    const uint8_t *data = c->values;
    if (c->type == FTL_NULL || (c->validity && !(c->validity[row / 8] >> row % 8 & 1))) {
        fputs("null", stdout);
        return;
    }
    union {
        double f64;
        float f32;
        int64_t i64;
        uint64_t u64;
        int32_t i32;
        uint32_t u32;
        uint16_t u16;
    } v;
    switch (c->type) {
    case FTL_STRING:
        show_text((const char *)data + c->offsets[row], c->offsets[row + 1] - c->offsets[row]);
        break;
    case FTL_F64:
        memcpy(&v, data + 8 * row, 8);
        show_number(v.f64);
        break;
    case FTL_F32:
        memcpy(&v, data + 4 * row, 4);
        show_number((double)v.f32);
        break;
    case FTL_F16:
        memcpy(&v, data + 2 * row, 2);
        printf("[%u]", v.u16);
        break;
    case FTL_BOOL:
        fputs(data[row] ? "true" : "false", stdout);
        break;
    case FTL_I32:
        memcpy(&v, data + 4 * row, 4);
        printf("%d", v.i32);
        break;
    case FTL_U32:
        memcpy(&v, data + 4 * row, 4);
        printf("%u", v.u32);
        break;
    case FTL_I64:
        memcpy(&v, data + 8 * row, 8);
        printf("%lld", (long long)v.i64);
        break;
    case FTL_U64:
        memcpy(&v, data + 8 * row, 8);
        printf("%llu", (unsigned long long)v.u64);
        break;
    default:
        fputs("\"?\"", stdout);
    }
}

static size_t columns[MOST_COLUMNS], n_columns;

static void choose(const ftl_parquet_meta *meta, char **names, int n)
{
    for (size_t i = 0; i < meta->n_columns && n_columns < MOST_COLUMNS; i++) {
        bool named = n == 0 && !meta->columns[i].refused;
        for (int k = 0; k < n; k++)
            named |= strcmp(names[k], meta->columns[i].name) == 0;
        if (named)
            columns[n_columns++] = i;
    }
}

static ftl_status dump(ftl_parquet_rows *rows, size_t block, bool quiet, ftl_error *error)
{
    static ftl_parquet_values values[MOST_COLUMNS];
    static ftl_column views[MOST_COLUMNS];
    size_t n;
    ftl_status status = ftl_parquet_rows_want(rows, columns, n_columns, error);
    while (status == FTL_OK &&
           (status = ftl_parquet_rows_read(rows, block, values, &n, error)) == FTL_OK) {
        for (size_t i = 0; i < n_columns; i++) {
            const ftl_parquet_column *column = &rows->meta.columns[columns[i]];
            views[i] = (ftl_column){.type = FTL_NULL};
            if (column->type != FTL_NULL)
                views[i] = ftl_parquet_values_view(&values[ftl_parquet_rows_slot(rows, columns[i])],
                                                   column->type);
        }
        for (size_t row = 0; !quiet && row < n; row++) {
            for (size_t i = 0; i < n_columns; i++) {
                putchar(i ? ',' : '[');
                show(&views[i], row);
            }
            puts(n_columns ? "]" : "[]");
        }
    }
    for (size_t i = 0; i < rows->n_wanted; i++)
        ftl_parquet_values_free(&values[i], rows->account);
    return status == FTL_END ? FTL_OK : status;
}

int main(int argc, char **argv)
{
    size_t block = 5000;
    bool quiet = false, schema = false;
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        quiet |= argv[at][1] == 'q';
        schema |= argv[at][1] == 's';
        if (argv[at][1] == 'b' && at + 1 < argc)
            block = (size_t)strtoul(argv[++at], NULL, 10);
    }
    ftl_account account;
    ftl_parquet_rows rows;
    ftl_error error;
    ftl_error_clear(&error);
    ftl_account_init(&account, NULL, 0);
    ftl_stream *source = NULL;
    if (at >= argc || ftl_stream_open_file(&account, argv[at], &source, NULL, &error) != FTL_OK)
        return 2;
    ftl_status status = ftl_parquet_rows_open(&rows, &account, source, 1 << 20, 16 << 20, &error);
    if (status == FTL_OK)
        choose(&rows.meta, argv + at + 1, argc - at - 1);
    for (size_t i = 0; schema && i < rows.meta.n_columns; i++)
        printf("%s: %s type %d\n", rows.meta.columns[i].name,
               rows.meta.columns[i].refused ? rows.meta.columns[i].refused : "read",
               (int)rows.meta.columns[i].type);
    if (status == FTL_OK && !schema)
        status = dump(&rows, block, quiet, &error);
    if (status != FTL_OK)
        fprintf(stderr, "%s: %s\n", ftl_status_name(status), error.message);
    ftl_parquet_rows_free(&rows);
    ftl_stream_close(source);
    if (ftl_account_used(&account)) {
        fprintf(stderr, "%llu bytes were not freed\n",
                (unsigned long long)ftl_account_used(&account));
        return 3;
    }
    return status != FTL_OK;
}
