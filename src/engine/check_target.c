#include "engine/check.h"

#include "base/cell_text.h"
#include "base/column.h"
#include "base/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void ftl_check_target_init(ftl_check_target *target, ftl_account *account, const ftl_model *model,
                           ftl_method method, const char *name)
{
    *target = (ftl_check_target){.account = account, .name = name, .model = model};
    target->most_scored = (size_t)1 << 25; /* 512 MiB of scores */
    target->classes = model->n_classes == 1;
    target->marks = model->kind == FTL_OUTLIER_DETECTOR && !target->classes;
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

/* The target of one row, read as the table's columns are. */
typedef struct truth {
    ftl_cell cell;                /* a text, or a number of a file of numbers */
    char text[FTL_F64_TEXT_SIZE]; /* of the cell, when it is an integer's */
    bool is_number, is_integer;   /* whether `number` and `integer` say what it is */
    double number;                /* NaN: a missing number */
    int64_t integer;
    bool is_na; /* a text of the list of missing cells */
} truth;

/* False: the file of numbers has none in this row. */
static bool read_truth(const ftl_check_target *target, const ftl_column *column, size_t row,
                       truth *out)
{
    *out = (truth){.is_number = true};
    if (!ftl_watch_cell(column, row, out->text, &out->cell))
        return false;
    if (out->cell.tag != FTL_CELL_STRING) {
        out->number = out->cell.u.number;
        return true;
    }
    const char *text = out->cell.u.text;
    size_t size = out->cell.size;
    out->is_na = ftl_na_values_has(&target->na, text, size);
    out->is_number = ftl_text_to_f64(text, size, target->decimal, &target->na, &out->number);
    ftl_text_trim(&text, &size);
    out->is_integer = out->is_number && !isnan(out->number) &&
                      ftl_parse_i64(text, size, &out->integer); /* exact beyond 2**53 */
    return true;
}

static bool equals_integer(const truth *is, int64_t integer)
{
    if (is->is_integer)
        return is->integer == integer;
    return is->is_number && is->number >= -9223372036854775808.0 &&
           is->number < 9223372036854775808.0 && is->number == floor(is->number) &&
           (int64_t)is->number == integer;
}

/* Whether a target is the class that the cell holds: the text itself, or an equal number. */
static bool is_class(const ftl_cell *cell, const truth *is)
{
    switch (cell->tag) {
    case FTL_CELL_STRING:
        return is->cell.tag == FTL_CELL_STRING && cell->size == is->cell.size &&
               memcmp(cell->u.text, is->cell.u.text, cell->size) == 0;
    case FTL_CELL_FLOAT:
        return is->is_number && cell->u.number == is->number;
    case FTL_CELL_MISSING:
        return false;
    default:
        return equals_integer(is, cell->u.integer);
    }
}

/* The class that a target is, or -1. */
static int64_t class_of(const ftl_labels *labels, const truth *is)
{
    for (uint32_t i = 0; i < labels->count; i++) {
        if (is_class(&labels->cells[i], is))
            return i;
    }
    return -1;
}

/* A target that is no class: whether it is missing as a text or, where classes are numbers, as one.
 */
static bool is_missing(const ftl_labels *labels, const truth *is)
{
    bool texts = labels->count && labels->cells[0].tag == FTL_CELL_STRING;
    return texts ? is->is_na : is->is_number && isnan(is->number);
}

static bool predicted_class(const ftl_column *column, size_t row, const ftl_cell *cell)
{
    size_t index = column->offset + row;
    switch (column->type) {
    case FTL_STRING: {
        size_t size = 0;
        const char *data = ftl_column_text(column, index, &size);
        return cell->tag == FTL_CELL_STRING && cell->size == size &&
               memcmp(cell->u.text, data, size) == 0;
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

static void note_strange(ftl_check_target *target, const truth *is)
{
    if (target->strange++ == 0)
        ftl_watch_example(&is->cell, target->example);
}

static ftl_status add_class(ftl_check_target *target, const truth *is, const ftl_batch *predicted,
                            const ftl_batch *proba, size_t row, ftl_error *error)
{
    const ftl_labels *labels = target->model->classes[0];
    int64_t found = class_of(labels, is);
    if (found < 0 && is_missing(labels, is)) {
        target->missing++;
        return FTL_OK;
    }
    target->rows++;
    if (found < 0) {
        note_strange(target, is);
        return FTL_OK;
    }
    target->right += predicted_class(&predicted->columns[0], row, &labels->cells[found]);
    target->too_many = target->ranks && target->n_scored >= target->most_scored;
    if (!target->ranks || target->too_many)
        return FTL_OK;
    FTL_TRY(ftl_grow(target->account, &target->scored, &target->scored_room, target->n_scored + 1,
                     sizeof *target->scored, error));
    target->scored[target->n_scored++] = (ftl_scored_row){number_at(&proba->columns[1], row),
                                                          found == 1};
    return FTL_OK;
}

static void add_number(ftl_check_target *target, const truth *is, const ftl_batch *predicted,
                       size_t row)
{
    if (!is->is_number) {
        note_strange(target, is);
        return;
    }
    if (isnan(is->number)) {
        target->missing++;
        return;
    }
    if (target->marks) {
        target->right += number_at(&predicted->columns[0], row) == is->number;
        target->rows++;
        return;
    }
    double difference = number_at(&predicted->columns[0], row) - is->number;
    target->squares += difference * difference;
    target->rows++;
}

ftl_status ftl_check_target_block(ftl_check_target *target, const ftl_column *column,
                                  const uint8_t *bad, const ftl_batch *predicted,
                                  const ftl_batch *proba, ftl_error *error)
{
    for (size_t row = 0; row < predicted->rows; row++) {
        truth is;
        if (bad && bad[row])
            continue;
        if (!read_truth(target, column, row, &is))
            target->missing++;
        else if (target->classes)
            FTL_TRY(add_class(target, &is, predicted, proba, row, error));
        else
            add_number(target, &is, predicted, row);
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
    if (n == 0 || target->too_many)
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
