#include "engine/check.h"

#include "base/cell_text.h"
#include "base/number.h"
#include "plan/input_column.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { most_scored = 1 << 25 }; /* 512 MiB of scores */

void ftl_check_target_init(ftl_check_target *target, ftl_account *account, const ftl_model *model,
                           ftl_method method, const char *name)
{
    *target = (ftl_check_target){.account = account, .name = name, .model = model};
    target->classes = model->n_classes == 1;
    target->ranks = name && method == FTL_PREDICT && target->classes &&
                    model->classes[0]->count == 2 &&
                    model->graph.methods[FTL_PREDICT_PROBA].count == 2;
}

void ftl_check_target_free(ftl_check_target *target)
{
    ftl_free(target->account, target->scored);
    target->scored = NULL;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

typedef struct text {
    const char *data;
    size_t size;
} text;

static text trimmed(text t)
{
    while (t.size && (t.data[0] == ' ' || t.data[0] == '\t'))
        t = (text){t.data + 1, t.size - 1};
    while (t.size && (t.data[t.size - 1] == ' ' || t.data[t.size - 1] == '\t'))
        t.size--;
    return t;
}

static bool equals(text t, const char *word)
{
    return strlen(word) == t.size && memcmp(t.data, word, t.size) == 0;
}

static bool number_of(text t, double *out)
{
    t = trimmed(t);
    if (equals(t, "True") || equals(t, "true") || equals(t, "TRUE"))
        return *out = 1, true;
    if (equals(t, "False") || equals(t, "false") || equals(t, "FALSE"))
        return *out = 0, true;
    return ftl_parse_f64(t.data, t.size, '.', out);
}

/* Whether a target is the class that the cell holds: the text itself, or an equal number. */
static bool is_class(const ftl_cell *cell, text truth)
{
    double number;
    if (cell->tag == FTL_CELL_STRING)
        return cell->size == truth.size && memcmp(cell->u.text, truth.data, truth.size) == 0;
    if (cell->tag == FTL_CELL_MISSING || !number_of(truth, &number))
        return false;
    return cell->tag == FTL_CELL_FLOAT ? cell->u.number == number
                                       : (double)cell->u.integer == number;
}

/* The class that a target is, or -1. */
static int64_t class_of(const ftl_labels *labels, text truth)
{
    for (uint32_t i = 0; i < labels->count; i++) {
        if (is_class(&labels->cells[i], truth))
            return i;
    }
    return -1;
}

static bool predicted_class(const ftl_column *column, size_t row, const ftl_cell *cell)
{
    size_t index = column->offset + row;
    switch (column->type) {
    case FTL_STRING: {
        size_t size = 0;
        const char *data = ftl_column_text(column, index, &size);
        return cell->tag == FTL_CELL_STRING && is_class(cell, (text){data, size});
    }
    case FTL_I64:
        return ((const int64_t *)column->values)[index] == cell->u.integer;
    case FTL_BOOL:
        return (((const uint8_t *)column->values)[index] != 0) == (cell->u.integer != 0);
    default:
        return ((const double *)column->values)[index] == cell->u.number;
    }
}

static double number_at(const ftl_column *column, size_t row)
{
    size_t index = column->offset + row;
    switch (column->type) {
    case FTL_F64:
        return ((const double *)column->values)[index];
    case FTL_F32:
        return (double)((const float *)column->values)[index];
    case FTL_I64:
        return (double)((const int64_t *)column->values)[index];
    default:
        return (double)NAN;
    }
}

/* ---- Adding up ------------------------------------------------------------------------------- */

static void note_strange(ftl_check_target *target, text truth)
{
    if (target->strange++)
        return;
    size_t size = truth.size < FTL_EXAMPLE_SIZE - 1 ? truth.size : FTL_EXAMPLE_SIZE - 1;
    while (size && size < truth.size && ((unsigned char)truth.data[size] & 0xc0) == 0x80)
        size--;
    memcpy(target->example, truth.data, size);
    target->example[size] = '\0';
}

static ftl_status add_class(ftl_check_target *target, text truth, const ftl_batch *predicted,
                            const ftl_batch *proba, size_t row, ftl_error *error)
{
    const ftl_labels *labels = target->model->classes[0];
    int64_t is = class_of(labels, truth);
    target->rows++;
    if (is < 0) {
        note_strange(target, truth);
        return FTL_OK;
    }
    target->right += predicted_class(&predicted->columns[0], row, &labels->cells[is]);
    if (!target->ranks || target->n_scored == most_scored)
        return FTL_OK;
    FTL_TRY(ftl_grow(target->account, &target->scored, &target->scored_room, target->n_scored + 1,
                     sizeof *target->scored, error));
    target->scored[target->n_scored++] = (ftl_scored_row){number_at(&proba->columns[1], row),
                                                          is == 1};
    return FTL_OK;
}

static void add_number(ftl_check_target *target, text truth, const ftl_batch *predicted, size_t row)
{
    double number;
    if (!number_of(truth, &number)) {
        note_strange(target, truth);
        return;
    }
    double difference = number_at(&predicted->columns[0], row) - number;
    target->squares += difference * difference;
    target->rows++;
}

ftl_status ftl_check_target_block(ftl_check_target *target, const ftl_column *truth,
                                  const uint8_t *bad, const ftl_batch *predicted,
                                  const ftl_batch *proba, ftl_error *error)
{
    for (size_t row = 0; row < predicted->rows; row++) {
        const ftl_column *column = truth;
        size_t index;
        text cell = {0};
        if (bad && bad[row])
            continue;
        if (ftl_column_find(&column, row, &index))
            cell.data = ftl_column_text(column, index, &cell.size);
        if (cell.size == 0)
            target->missing++;
        else if (target->classes)
            FTL_TRY(add_class(target, cell, predicted, proba, row, error));
        else
            add_number(target, cell, predicted, row);
    }
    return FTL_OK;
}

static int by_score(const void *a, const void *b)
{
    double left = ((const ftl_scored_row *)a)->score, right = ((const ftl_scored_row *)b)->score;
    return left < right ? -1 : left > right;
}

double ftl_check_target_auc(ftl_check_target *target)
{
    ftl_scored_row *rows = target->scored;
    size_t n = target->n_scored;
    double pairs = 0, below = 0, positives = 0;
    if (n == 0)
        return (double)NAN;
    qsort(rows, n, sizeof *rows, by_score);
    for (size_t begin = 0, end; begin < n; begin = end) {
        double tied[2] = {0, 0}; /* negatives and positives of one score */
        for (end = begin; end < n && by_score(&rows[begin], &rows[end]) == 0; end++)
            tied[rows[end].positive]++;
        pairs += tied[1] * (below + tied[0] / 2);
        below += tied[0];
        positives += tied[1];
    }
    return below > 0 && positives > 0 ? pairs / (below * positives) : (double)NAN;
}
