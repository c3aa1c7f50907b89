/*
 * Predictions for a person at a terminal: the first rows as an aligned table, and how many rows
 * have which class. The library writes its CSV into a pipe; a thread takes from it what is shown,
 * so that memory stays the same however many rows there are.
 */
#include "cli.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    SHOWN_ROWS = 10,
    MOST_CELLS = 4096,   /* of a row; what lies beyond is not shown */
    CELL_BYTES = 96,     /* of a cell; what lies beyond is not shown */
    CELL_WIDTH = 24,     /* characters of a cell on the screen */
    MOST_CLASSES = 1000, /* that are counted apart */
    SHOWN_CLASSES = 20,
    MOST_PROBABILITIES = 4 /* that are shown unasked */
};

typedef struct cell {
    char text[CELL_BYTES + 1];
    size_t size;
} cell;

typedef struct class_count {
    char text[CELL_BYTES + 1];
    unsigned long long rows;
} class_count;

typedef struct preview {
    int fd;
    size_t n_outputs;           /* columns at the end that the model gave */
    size_t n_columns;           /* of the header, known once it was read */
    cell *rows[SHOWN_ROWS + 1]; /* [MOST_CELLS]; the header first */
    size_t n_rows;              /* kept */
    bool counts;                /* the first output is a class */
    class_count *classes;
    size_t n_classes, room;
    unsigned long long n_read, others; /* rows; those whose class is not counted apart */
    bool failed;                       /* no memory */
    /* where the text is */
    cell now;
    size_t column;
    bool in_quotes, was_quote;
} preview;

/* ---- Reading --------------------------------------------------------------------------------- */

static void count_class(preview *p, const cell *value)
{
    for (size_t i = 0; i < p->n_classes; i++) {
        if (strcmp(p->classes[i].text, value->text) == 0) {
            p->classes[i].rows++;
            return;
        }
    }
    if (p->n_classes == MOST_CLASSES) {
        p->others++;
        return;
    }
    if (p->n_classes == p->room) {
        size_t room = p->room ? 2 * p->room : 16;
        class_count *longer = realloc(p->classes, room * sizeof *longer);
        if (!longer) {
            p->failed = true;
            return;
        }
        p->classes = longer;
        p->room = room;
    }
    class_count *added = &p->classes[p->n_classes++];
    memcpy(added->text, value->text, sizeof added->text);
    added->rows = 1;
}

static void end_cell(preview *p)
{
    size_t row = p->n_rows;
    p->now.text[p->now.size] = '\0';
    if (row <= SHOWN_ROWS && p->column < MOST_CELLS && p->rows[row])
        p->rows[row][p->column] = p->now;
    if (p->counts && p->n_rows > 0 && p->column + p->n_outputs == p->n_columns)
        count_class(p, &p->now);
    p->now.size = 0;
    p->column++;
}

static void end_row(preview *p)
{
    end_cell(p);
    if (p->n_rows == 0)
        p->n_columns = p->column;
    else
        p->n_read++;
    p->column = 0;
    if (p->n_rows <= SHOWN_ROWS)
        p->n_rows++;
}

static void take(preview *p, char c)
{
    bool closes = p->was_quote;
    p->was_quote = false;
    if (p->in_quotes && c == '"') {
        p->in_quotes = false;
        p->was_quote = true; /* the end, or the first of two */
        return;
    }
    if (c == '"' && (closes || p->now.size == 0)) {
        p->in_quotes = true;
        if (!closes)
            return;
    }
    if (!p->in_quotes && c == ',')
        end_cell(p);
    else if (!p->in_quotes && c == '\n')
        end_row(p);
    else if (p->now.size < CELL_BYTES)
        p->now.text[p->now.size++] = c;
}

/* A thread: takes the library's CSV to its end. */
static void *read_all(void *user)
{
    preview *p = user;
    char bytes[1 << 16];
    for (;;) {
        ssize_t n = read(p->fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return NULL;
        for (ssize_t i = 0; i < n; i++)
            take(p, bytes[i]);
    }
}

/* ---- Showing --------------------------------------------------------------------------------- */

/* Bytes of the character at text, of at most size; *shown is false for what is no text. */
static size_t character(const char *text, size_t size, bool *shown)
{
    unsigned char c = (unsigned char)text[0];
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    n = n < size ? n : size;
    *shown = c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xc2) && c < 0xf5 &&
             !(c == 0xc2 && size > 1 && (unsigned char)text[1] < 0xa0);
    for (size_t i = 1; i < n; i++)
        *shown = *shown && ((unsigned char)text[i] & 0xc0) == 0x80;
    return *shown || c >= 0xc2 ? n : 1;
}

static size_t width_of(const cell *c)
{
    size_t width = 0;
    bool shown;
    for (size_t i = 0; i < c->size; width++)
        i += character(c->text + i, c->size - i, &shown);
    return width < CELL_WIDTH ? width : CELL_WIDTH;
}

static bool is_number(const cell *c)
{
    return c->size && strspn(c->text, "0123456789+-.e") == c->size;
}

/* Cuts a long fraction to six digits in all, rounded; an exponent stays. */
static void shorten(cell *c)
{
    enum { DIGITS = 6 };
    char *dot = strchr(c->text, '.');
    if (!dot || !is_number(c))
        return;
    char *fraction = dot + 1, *end = fraction + strspn(fraction, "0123456789");
    size_t before = 0, after = 0; /* digits that count */
    for (char *d = c->text; d < dot; d++)
        before += *d >= '0' && *d <= '9' && (before || *d != '0');
    for (; fraction + after < end && before == 0 && fraction[after] == '0';)
        after++; /* zeros behind the point do not count */
    after += before < DIGITS - 1 ? DIGITS - before : 1;
    if (fraction + after >= end)
        return;
    bool up = fraction[after] >= '5';
    memmove(fraction + after, end, strlen(end) + 1);
    for (char *d = fraction + after - 1; up && d >= c->text; d--) {
        if (*d == '.')
            continue;
        if (*d < '0' || *d > '9')
            break; /* the sign */
        up = *d == '9';
        *d = up ? '0' : (char)(*d + 1);
    }
    char *last = fraction + after; /* behind the digits: no zeros there but for the first */
    while (last > fraction + 1 && last[-1] == '0')
        last--;
    memmove(last, fraction + after, strlen(fraction + after) + 1);
    c->size = strlen(c->text);
    if (up && c->size < CELL_BYTES) { /* 9.99 became 0.00: a one belongs in front */
        char *digits = c->text + strspn(c->text, "+-");
        memmove(digits + 1, digits, strlen(digits) + 1);
        *digits = '1';
        c->size++;
    }
}

static void print_cell(const cell *c, size_t width, bool right)
{
    size_t used = width_of(c), at = 0;
    bool shown, cut = false;
    if (right)
        printf("%*s", (int)(width - used), "");
    for (size_t i = 0; i < used; i++) {
        size_t n = character(c->text + at, c->size - at, &shown);
        cut = i + 1 == CELL_WIDTH && at + n < c->size;
        if (cut)
            fputs("…", stdout);
        else if (shown)
            fwrite(c->text + at, 1, n, stdout);
        else
            putchar('?');
        at += n;
    }
    if (!right)
        printf("%*s", (int)(width - used), "");
}

static size_t screen_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        return size.ws_col;
    return 80;
}

/* Which of the columns fit: the model's own first, from the left, then those of the input. */
static void choose_columns(const preview *p, const size_t *widths, bool *chosen)
{
    size_t n = p->n_columns < MOST_CELLS ? p->n_columns : MOST_CELLS, room = screen_width();
    size_t kept = p->n_columns - p->n_outputs;
    for (size_t i = 0; i < n; i++) {
        size_t column = i < p->n_outputs ? kept + i : i - p->n_outputs;
        if (column >= n)
            continue;
        if (widths[column] + 2 > room && i > 0)
            return;
        chosen[column] = true;
        room = room > widths[column] + 2 ? room - widths[column] - 2 : 0;
    }
}

static void print_rows(preview *p)
{
    static size_t widths[MOST_CELLS];
    static bool chosen[MOST_CELLS], numbers[MOST_CELLS];
    size_t n = p->n_columns < MOST_CELLS ? p->n_columns : MOST_CELLS, n_chosen = 0;
    for (size_t column = 0; column < n; column++) {
        numbers[column] = p->n_rows > 1;
        for (size_t row = 0; row < p->n_rows && row <= SHOWN_ROWS; row++) {
            cell *c = &p->rows[row][column];
            if (row)
                shorten(c);
            numbers[column] = numbers[column] && (row == 0 || c->size == 0 || is_number(c));
            size_t width = width_of(c);
            widths[column] = width > widths[column] ? width : widths[column];
        }
    }
    choose_columns(p, widths, chosen);
    for (size_t row = 0; row < p->n_rows && row <= SHOWN_ROWS; row++) {
        for (size_t column = 0, first = 1; column < n; column++) {
            if (!chosen[column])
                continue;
            fputs(first ? "" : "  ", stdout);
            print_cell(&p->rows[row][column], widths[column], numbers[column]);
            first = 0;
        }
        putchar('\n');
    }
    for (size_t column = 0; column < n; column++)
        n_chosen += chosen[column];
    if (p->n_columns > n_chosen)
        printf("and %zu more column%s\n", p->n_columns - n_chosen,
               p->n_columns - n_chosen == 1 ? "" : "s");
    if (p->n_read > SHOWN_ROWS)
        printf("and %llu more row%s\n", p->n_read - SHOWN_ROWS,
               p->n_read - SHOWN_ROWS == 1 ? "" : "s");
}

static int more_rows(const void *a, const void *b)
{
    const class_count *left = a, *right = b;
    if (left->rows != right->rows)
        return left->rows < right->rows ? 1 : -1;
    return strcmp(left->text, right->text);
}

static void print_classes(preview *p)
{
    size_t widest = 0;
    unsigned long long others = p->others;
    qsort(p->classes, p->n_classes, sizeof *p->classes, more_rows);
    putchar('\n');
    for (size_t i = 0; i < p->n_classes && i < SHOWN_CLASSES; i++) {
        cell c = {.size = strlen(p->classes[i].text)};
        memcpy(c.text, p->classes[i].text, c.size);
        size_t width = width_of(&c);
        widest = width > widest ? width : widest;
    }
    for (size_t i = 0; i < p->n_classes; i++) {
        char rows[32];
        cell c = {.size = strlen(p->classes[i].text)};
        memcpy(c.text, p->classes[i].text, c.size);
        if (i >= SHOWN_CLASSES) {
            others += p->classes[i].rows;
            continue;
        }
        cli_group_digits(p->classes[i].rows, rows);
        print_cell(&c, widest, false);
        printf("  %*s %-4s  %5.1f %%\n", 12, rows, p->classes[i].rows == 1 ? "row" : "rows",
               100.0 * (double)p->classes[i].rows / (double)p->n_read);
    }
    if (others)
        printf("other classes: %llu row%s\n", others, others == 1 ? "" : "s");
}

/* ---- Both ------------------------------------------------------------------------------------ */

static bool prepare(preview *p)
{
    for (size_t i = 0; i <= SHOWN_ROWS; i++) {
        p->rows[i] = calloc(MOST_CELLS, sizeof *p->rows[i]);
        if (!p->rows[i])
            return false;
    }
    return true;
}

static void tidy(preview *p)
{
    for (size_t i = 0; i <= SHOWN_ROWS; i++)
        free(p->rows[i]);
    free(p->classes);
}

/* All columns of the input unless some were named, and probabilities when they are few. */
static void set_defaults(ftl_model *model, cli_options *options, preview *p)
{
    static const char *const all[] = {"*"};
    ftl_model_info info = {.struct_size = sizeof info};
    ftl_score_options *score = &options->score;
    if (ftl_model_get_info(model, &info) != FTL_OK)
        return;
    ftl_method method = score->method_set ? score->method : info.default_method;
    size_t probabilities = ftl_model_output_count(model, FTL_PREDICT_PROBA);
    if (score->n_keep == 0) {
        score->keep = all;
        score->n_keep = 1;
    }
    if (method == FTL_PREDICT && probabilities <= MOST_PROBABILITIES && probabilities)
        score->proba = true;
    p->n_outputs = ftl_model_output_count(model, method) + (score->proba ? probabilities : 0);
    p->counts = method == FTL_PREDICT && ftl_model_target_count(model) == 1;
}

/* Predicts into the pipe while a thread reads it; an exit code. */
static int run(ftl_model *model, cli_options *options, preview *p, int write_end)
{
    char path[32];
    pthread_t reader;
    snprintf(path, sizeof path, "/dev/fd/%d", write_end);
    if (pthread_create(&reader, NULL, read_all, p) != 0) {
        close(write_end);
        fprintf(stderr, "foretell: error: a thread cannot be started\n");
        return EXIT_INTERNAL;
    }
    int code = cli_predict_table(model, options, path);
    close(write_end);
    pthread_join(reader, NULL);
    return code;
}

int cli_preview(ftl_model *model, cli_options *options)
{
    preview *p = calloc(1, sizeof *p);
    int ends[2], code = EXIT_INTERNAL;
    if (!p || !prepare(p) || pipe(ends) != 0) {
        fprintf(stderr, "foretell: error: out of memory or descriptors\n");
    } else {
        p->fd = ends[0];
        set_defaults(model, options, p);
        code = run(model, options, p, ends[1]);
        close(ends[0]);
        if (p->n_outputs > p->n_columns)
            p->n_outputs = p->n_columns;
        if (code == EXIT_DONE || code == EXIT_REJECTED) {
            print_rows(p);
            if (p->counts && p->n_read && !p->failed)
                print_classes(p);
            code = cli_end_output(code);
        }
    }
    if (p)
        tidy(p);
    free(p);
    return code;
}
