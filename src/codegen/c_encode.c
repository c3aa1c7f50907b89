/* Categories looked up: encoders, imputers of cells, indicators, domains of cells. */
#include "codegen/c_code.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Categories ------------------------------------------------------------------------------ */

static uint32_t count_of(const ftl_categories *categories) { return categories->count; }

static ftl_cell category_at(const ftl_categories *categories, uint32_t i)
{
    if (!categories->numeric)
        return categories->cells[i];
    double x = categories->numbers[i];
    return isnan(x) ? (ftl_cell){.tag = FTL_CELL_MISSING}
                    : (ftl_cell){.tag = FTL_CELL_FLOAT, .u.number = x};
}

/* A text with a zero byte in it is equal to none that a caller can give. */
static bool is_text(const ftl_cell *cell)
{
    return cell->tag == FTL_CELL_STRING && !memchr(cell->u.text, 0, cell->size);
}

typedef struct place {
    ftl_cell cell;
    uint32_t index;
} place;

static int by_place(const void *a, const void *b)
{
    const place *left = a, *right = b;
    int order;
    if (left->cell.tag == FTL_CELL_STRING) {
        uint32_t n = left->cell.size < right->cell.size ? left->cell.size : right->cell.size;
        order = n ? memcmp(left->cell.u.text, right->cell.u.text, n) : 0;
        order = order ? order
                      : (left->cell.size > right->cell.size) - (left->cell.size < right->cell.size);
    } else {
        double x = ftl_cell_number(&left->cell), y = ftl_cell_number(&right->cell);
        order = (x > y) - (x < y);
    }
    return order ? order : (left->index > right->index) - (left->index < right->index);
}

static bool same_place(const place *a, const place *b)
{
    if (a->cell.tag == FTL_CELL_STRING)
        return a->cell.size == b->cell.size &&
               (a->cell.size == 0 || memcmp(a->cell.u.text, b->cell.u.text, a->cell.size) == 0);
    return ftl_cell_number(&a->cell) == ftl_cell_number(&b->cell);
}

/*
 * The texts, or the numbers, of a column's categories in order, the first of equal ones. *missing:
 * the category of missing values, the last of those, or -1.
 */
static uint32_t sort_categories(ftl_c_code *code, const ftl_categories *categories, bool texts,
                                place **out, int64_t *missing)
{
    place *places = ftl_arena_array(&code->arena, (size_t)count_of(categories) + 1, sizeof *places);
    uint32_t n = 0, kept = 0;
    *missing = -1;
    *out = places;
    if (!places) {
        code->failed = true;
        return 0;
    }
    for (uint32_t i = 0; i < count_of(categories); i++) {
        ftl_cell cell = category_at(categories, i);
        bool text = cell.tag == FTL_CELL_STRING, number = !text && !isnan(ftl_cell_number(&cell));
        if (!text && !number)
            *missing = i;
        if (texts ? is_text(&cell) : number)
            places[n++] = (place){cell, i};
    }
    if (n)
        qsort(places, n, sizeof *places, by_place);
    for (uint32_t i = 0; i < n; i++) {
        if (kept == 0 || !same_place(&places[kept - 1], &places[i]))
            places[kept++] = places[i];
    }
    return kept;
}

static bool same_categories(const ftl_categories *a, const ftl_categories *b)
{
    return a->count == b->count && a->count > 0 && a->numeric == b->numeric &&
           (a->numeric ? a->numbers == b->numbers : a->cells == b->cells);
}

/* The column whose tables column j uses: those of neighbours with the same list are its own. */
static uint32_t tables_of(const ftl_encode_op *encode, uint32_t j)
{
    while (j > 0 &&
           same_categories(&encode->columns[j].categories, &encode->columns[j - 1].categories))
        j--;
    return j;
}

static void places_tables(ftl_c_code *code, uint32_t id, uint32_t j, bool texts,
                          const place *places, uint32_t n)
{
    char name[24];
    snprintf(name, sizeof name, texts ? "texts%u" : "values%u", j);
    ftl_c_array_begin(code, id, texts ? "char *const" : "double", name, n);
    for (uint32_t i = 0; i < n && code->out->status == FTL_OK; i++) {
        ftl_c_array_next(code, i);
        if (texts)
            ftl_emit_c_string(code->out, places[i].cell.u.text, places[i].cell.size);
        else
            ftl_emit_c_f64(code->out, ftl_cell_number(&places[i].cell));
    }
    ftl_c_array_end(code);
    snprintf(name, sizeof name, texts ? "text_at%u" : "value_at%u", j);
    ftl_c_array_begin(code, id, "int", name, n);
    for (uint32_t i = 0; i < n && code->out->status == FTL_OK; i++) {
        ftl_c_array_next(code, i);
        ftl_emitf(code->out, "%u", places[i].index);
    }
    ftl_c_array_end(code);
}

/*
 * static int PREFIX_op<id>_find<j>(x): the category of a number, or of a cell, or -1. A text that
 * is no category may stand for a number or a bool when such are among the categories.
 */
static void write_find(ftl_c_code *code, uint32_t id, uint32_t j)
{
    const ftl_categories *categories = &ftl_c_op_at(code, id)->u.encode.columns[j].categories;
    const char *p = code->prefix;
    place *texts, *values;
    int64_t missing;
    uint32_t n_texts = sort_categories(code, categories, true, &texts, &missing);
    uint32_t n_values = sort_categories(code, categories, false, &values, &missing);
    if (n_texts)
        places_tables(code, id, j, true, texts, n_texts);
    if (n_values)
        places_tables(code, id, j, false, values, n_values);
    if (categories->numeric) {
        ftl_emitf(code->out,
                  "static int %s_op%u_find%u(double x)\n{\n    if (x != x)\n        return %d;\n",
                  p, id, j, (int)missing);
    } else {
        ftl_emitf(
            code->out,
            "static int %s_op%u_find%u(%s_cell c)\n{\n%s    if (c.kind == 0)\n        return %d;\n",
            p, id, j, p, n_values ? "    double x = c.number;\n" : "", (int)missing);
        if (n_texts && n_values)
            ftl_emitf(code->out,
                      "    if (c.kind == 1) {\n"
                      "        int found = %s_find_text(%s_op%u_texts%u, %s_op%u_text_at%u, %u, "
                      "c.text);\n"
                      "        if (found >= 0)\n            return found;\n    }\n",
                      p, p, id, j, p, id, j, n_texts);
        else if (n_texts)
            ftl_emitf(
                code->out,
                "    if (c.kind == 1)\n"
                "        return %s_find_text(%s_op%u_texts%u, %s_op%u_text_at%u, %u, c.text);\n",
                p, p, id, j, p, id, j, n_texts);
        if (n_values)
            ftl_emitf(code->out,
                      "    if (c.kind == 1 && !%s_text_number(c.text, 0, &x))\n        return -1;\n"
                      "    if (x != x)\n        return %d;\n",
                      p, (int)missing);
    }
    if (n_values)
        ftl_emitf(code->out,
                  "    return %s_find_number(%s_op%u_values%u, %s_op%u_value_at%u, %u, x);\n}\n", p,
                  p, id, j, p, id, j, n_values);
    else
        ftl_emit_text(code->out, "    return -1;\n}\n");
}

/* Integers that float64 does not hold are told apart by digits, which generated code does not do.
 */
static bool is_large(const ftl_cell *cell)
{
    return ftl_cell_is_integer(cell) &&
           (cell->u.integer >= (int64_t)1 << 53 || cell->u.integer <= -((int64_t)1 << 53));
}

static ftl_status check_cells(const ftl_op *op, const ftl_cell *cells, size_t n, ftl_error *error)
{
    for (size_t i = 0; i < n; i++) {
        if (is_large(&cells[i]))
            return ftl_c_unsupported(op, "categories that are integers beyond 2^53", error);
    }
    return FTL_OK;
}

static ftl_status check_encode(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    for (uint32_t j = 0; j < op->u.encode.n_columns; j++) {
        const ftl_encode_column *column = &op->u.encode.columns[j];
        const ftl_categories *categories = &column->categories;
        for (uint32_t i = 0; i < categories->count; i++) {
            ftl_cell cell = category_at(categories, i);
            bool number = !isnan(ftl_cell_number(&cell));
            code->uses |= is_text(&cell) ? FTL_C_FIND_TEXT : 0;
            code->uses |= number ? FTL_C_FIND_NUMBER : 0;
            code->uses |= number && !categories->numeric ? FTL_C_TEXT_NUMBER : 0;
        }
        if (!categories->numeric) {
            code->uses |= FTL_C_CELLS;
            FTL_TRY(check_cells(op, categories->cells, categories->count, error));
        }
        if (column->cells)
            FTL_TRY(check_cells(op, column->cells, (size_t)categories->count + 1, error));
    }
    /* which of both each column takes is by its categories */
    uint32_t j = 0;
    for (uint32_t s = 0; s < op->n_segments; s++) {
        for (uint32_t c = 0; c < op->segments[s].count; c++, j++)
            ftl_c_use_cell(code, op->segments[s].op, op->u.encode.columns[j].categories.numeric);
    }
    return FTL_OK;
}

/* ---- Encoders -------------------------------------------------------------------------------- */

static void find_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_encode_op *encode = &ftl_c_op_at(code, id)->u.encode;
    for (uint32_t j = 0; j < encode->n_columns && code->out->status == FTL_OK; j++) {
        if (tables_of(encode, j) == j)
            write_find(code, id, j);
    }
}

/* Whether some value is refused; *known: of the categories. */
static bool refuses(const ftl_encode_column *column, bool *known)
{
    *known = false;
    for (uint32_t i = 0; column->codes && i < column->categories.count; i++)
        *known = *known || column->codes[i] == FTL_CODE_REFUSED;
    return *known || column->unknown == FTL_CODE_REFUSED;
}

static void encode_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    char name[24];
    find_tables(code, id);
    for (uint32_t j = 0; j < op->u.encode.n_columns && code->out->status == FTL_OK; j++) {
        const ftl_encode_column *column = &op->u.encode.columns[j];
        uint32_t n = column->categories.count;
        bool known;
        refuses(column, &known);
        if (column->codes && n && (known || op->kind == FTL_OP_ONEHOT)) {
            snprintf(name, sizeof name, "codes%u", j);
            ftl_c_array_begin(code, id, "int", name, n);
            for (uint32_t i = 0; i < n; i++) {
                ftl_c_array_next(code, i);
                ftl_emitf(code->out, "%d", column->codes[i]);
            }
            ftl_c_array_end(code);
        }
        if (op->kind == FTL_OP_ORDINAL && n) {
            snprintf(name, sizeof name, "out%u", j);
            ftl_c_array_real(code, id, name, column->values, n);
        }
    }
}

/* found = …; for a source column; x and c are variables where they are needed. */
static void emit_find(ftl_c_code *code, uint32_t id, uint32_t j, uint32_t from, uint32_t column)
{
    const ftl_encode_op *encode = &ftl_c_op_at(code, id)->u.encode;
    uint32_t tables = tables_of(encode, j);
    const char *p = code->prefix;
    if (encode->columns[j].categories.numeric) {
        if (ftl_c_is_cell(code, from)) {
            ftl_c_set_number(code, from, column, "x");
            ftl_emitf(code->out, "    found = %s_op%u_find%u(x);\n", p, id, tables);
            return;
        }
        ftl_emitf(code->out, "    found = %s_op%u_find%u(", p, id, tables);
        ftl_c_number(code, from, column, false);
    } else {
        ftl_emitf(code->out, "    found = %s_op%u_find%u(", p, id, tables);
        ftl_c_cell(code, from, column);
    }
    ftl_emit_text(code->out, ");\n");
}

/* What a refused value is: a missing one, or a category that nobody knows. */
static void emit_refused(ftl_c_code *code, uint32_t id, uint32_t j, uint32_t from, uint32_t column,
                         const char *condition)
{
    bool numeric = ftl_c_op_at(code, id)->u.encode.columns[j].categories.numeric;
    ftl_emitf(code->out, "    if (%s) {\n", condition);
    if (!(numeric && ftl_c_is_cell(code, from))) {
        ftl_emit_text(code->out, "        if (");
        if (numeric) {
            ftl_emit_text(code->out, "isnan(");
            ftl_c_number(code, from, column, false);
            ftl_emit_text(code->out, ")");
        } else {
            ftl_c_cell(code, from, column);
            ftl_emit_text(code->out, ".kind == 0");
        }
        ftl_emit_text(code->out, ")\n        ");
        ftl_c_refuse(code, from, column, FTL_C_MISSING);
    }
    ftl_emit_text(code->out, "    ");
    ftl_c_refuse(code, from, column, FTL_C_UNKNOWN);
    ftl_emit_text(code->out, "    }\n");
}

/* When the value that was found is refused. */
static void refused_condition(const ftl_c_code *code, uint32_t id, uint32_t j, bool known,
                              char *out, size_t size)
{
    bool unknown = ftl_c_op_at(code, id)->u.encode.columns[j].unknown == FTL_CODE_REFUSED;
    if (!known)
        snprintf(out, size, "found < 0");
    else
        snprintf(out, size, "%s%s_op%u_codes%u[found] == %d",
                 unknown ? "found < 0 || " : "found >= 0 && ", code->prefix, id, j,
                 FTL_CODE_REFUSED);
}

static void onehot_column(ftl_c_code *code, uint32_t id, uint32_t j, uint32_t from, uint32_t column)
{
    const ftl_encode_column *own = &ftl_c_op_at(code, id)->u.encode.columns[j];
    bool known;
    emit_find(code, id, j, from, column);
    ftl_emitf(code->out, "    out[%u] = ", j);
    if (own->categories.count)
        ftl_emitf(code->out, "found < 0 ? %d : %s_op%u_codes%u[found];\n", own->unknown,
                  code->prefix, id, j);
    else
        ftl_emitf(code->out, "%d;\n    (void)found;\n", own->unknown);
    char condition[40];
    snprintf(condition, sizeof condition, "out[%u] == %d", j, FTL_CODE_REFUSED);
    if (refuses(own, &known))
        emit_refused(code, id, j, from, column, condition);
}

static void ordinal_column(ftl_c_code *code, uint32_t id, uint32_t j, uint32_t from,
                           uint32_t column)
{
    const ftl_encode_column *own = &ftl_c_op_at(code, id)->u.encode.columns[j];
    char condition[160];
    bool known;
    emit_find(code, id, j, from, column);
    if (refuses(own, &known)) {
        refused_condition(code, id, j, known, condition, sizeof condition);
        emit_refused(code, id, j, from, column, condition);
    }
    ftl_emitf(code->out, "    out[%u] = ", j);
    if (own->categories.count)
        ftl_emit_text(code->out, "found < 0 ? ");
    if (code->ops[id].is_f32)
        ftl_emit_c_f32(code->out, (float)own->unknown_value);
    else
        ftl_emit_c_f64(code->out, own->unknown_value);
    if (own->categories.count)
        ftl_emitf(code->out, " : %s_op%u_out%u[found];\n", code->prefix, id, j);
    else
        ftl_emit_text(code->out, ";\n    (void)found;\n");
}

/* The variables that the columns' statements use. */
static void emit_variables(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    bool number = false, cell = false;
    uint32_t j = 0;
    for (uint32_t s = 0; s < op->n_segments; s++) {
        bool cells = ftl_c_is_cell(code, op->segments[s].op);
        bool object = ftl_c_op_at(code, op->segments[s].op)->edge == FTL_EDGE_OBJECT;
        for (uint32_t c = 0; c < op->segments[s].count; c++, j++) {
            bool numeric = op->u.encode.columns[j].categories.numeric;
            number = number || (numeric && cells);
            cell = cell || (numeric && object);
        }
    }
    ftl_emit_text(code->out, "    int found;\n");
    if (number)
        ftl_emit_text(code->out, "    double x;\n");
    if (cell)
        ftl_emitf(code->out, "    %s_cell c;\n", code->prefix);
}

static void write_onehot(ftl_c_code *code, uint32_t id)
{
    emit_variables(code, id);
    ftl_c_each_source(code, id, onehot_column);
}

static void write_ordinal(ftl_c_code *code, uint32_t id)
{
    emit_variables(code, id);
    ftl_c_each_source(code, id, ordinal_column);
}

const ftl_c_writer ftl_c_onehot = {
    .check = check_encode, .tables = encode_tables, .body = write_onehot, .fails = true};
const ftl_c_writer ftl_c_ordinal = {
    .check = check_encode, .tables = encode_tables, .body = write_ordinal, .fails = true};

/* ---- DOMAIN_OBJECT --------------------------------------------------------------------------- */

static void domain_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_encode_op *encode = &ftl_c_op_at(code, id)->u.encode;
    encode_tables(code, id);
    for (uint32_t j = 0; j < encode->n_columns; j++) {
        const ftl_encode_column *column = &encode->columns[j];
        ftl_emitf(code->out, "static const %s_cell %s_op%u_cells%u[%u] = {", code->prefix,
                  code->prefix, id, j, column->categories.count + 1);
        for (uint32_t i = 0; i <= column->categories.count; i++) {
            ftl_c_array_next(code, i);
            ftl_c_cell_constant(code, &column->cells[i]);
        }
        ftl_c_array_end(code);
    }
}

static void domain_column(ftl_c_code *code, uint32_t id, uint32_t j, uint32_t from, uint32_t column)
{
    const ftl_encode_column *own = &ftl_c_op_at(code, id)->u.encode.columns[j];
    const char *p = code->prefix;
    char condition[160];
    bool known;
    emit_find(code, id, j, from, column);
    if (refuses(own, &known)) {
        refused_condition(code, id, j, known, condition, sizeof condition);
        emit_refused(code, id, j, from, column, condition);
    }
    ftl_emitf(code->out, "    out[%u] = found < 0 ? ", j);
    if (own->unknown >= 0)
        ftl_c_cell(code, from, column);
    else
        ftl_emitf(code->out, "%s_op%u_cells%u[%u]", p, id, j, own->categories.count);
    ftl_emitf(code->out, " : %s_op%u_cells%u[found];\n", p, id, j);
}

static void write_domain(ftl_c_code *code, uint32_t id)
{
    emit_variables(code, id);
    ftl_c_each_source(code, id, domain_column);
}

const ftl_c_writer ftl_c_domain_object = {
    .check = check_encode, .tables = domain_tables, .body = write_domain, .fails = true};

/* ---- Missing cells --------------------------------------------------------------------------- */

/* Whether the cell that ftl_c_cell writes is the missing one, as an expression. */
static void emit_same(ftl_c_code *code, const ftl_cell *missing, uint32_t from, uint32_t column)
{
    ftl_emitf(code->out, "%s_same_cell(", code->prefix);
    ftl_c_cell(code, from, column);
    ftl_emitf(code->out, ", %d, ",
              missing->tag == FTL_CELL_STRING    ? 1
              : missing->tag == FTL_CELL_MISSING ? 0
              : missing->tag == FTL_CELL_BOOL    ? 3
                                                 : 2);
    if (missing->tag == FTL_CELL_STRING) {
        ftl_emit_text(code->out, "0.0, ");
        ftl_emit_c_string(code->out, missing->u.text, missing->size);
    } else {
        ftl_emit_c_f64(code->out,
                       missing->tag == FTL_CELL_MISSING ? 0.0 : ftl_cell_number(missing));
        ftl_emit_text(code->out, ", NULL");
    }
    ftl_emit_text(code->out, ")");
}

static ftl_status check_missing(ftl_c_code *code, uint32_t id, const ftl_cell *missing,
                                ftl_error *error)
{
    ftl_c_use_cells(code, id, false);
    code->uses |= FTL_C_CELLS | FTL_C_SAME_CELL | FTL_C_TEXT_NUMBER;
    return check_cells(ftl_c_op_at(code, id), missing, 1, error);
}

static ftl_status check_impute(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    code->ops[id].fails = op->u.impute_object.refuse_missing;
    FTL_TRY(check_cells(op, op->u.impute_object.fill, op->width, error));
    return check_missing(code, id, &op->u.impute_object.missing, error);
}

static void impute_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    ftl_emitf(code->out, "static const %s_cell %s_op%u_fill[%u] = {", code->prefix, code->prefix,
              id, op->width ? op->width : 1);
    for (uint32_t i = 0; i < op->width; i++) {
        ftl_c_array_next(code, i);
        ftl_c_cell_constant(code, &op->u.impute_object.fill[i]);
    }
    if (!op->width)
        ftl_emit_text(code->out, "{0, 0.0, NULL}");
    ftl_c_array_end(code);
}

static void write_impute(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_impute_object_op *impute = &op->u.impute_object;
    uint32_t from = op->segments[0].op;
    for (uint32_t j = 0; j < op->width; j++) {
        ftl_emitf(code->out, "    out[%u] = ", j);
        ftl_c_cell(code, from, impute->columns[j]);
        ftl_emit_text(code->out, ";\n    if (");
        emit_same(code, &impute->missing, from, impute->columns[j]);
        ftl_emitf(code->out, ")\n        out[%u] = %s_op%u_fill[%u];\n", j, code->prefix, id, j);
        if (!impute->refuse_missing)
            continue;
        ftl_emitf(code->out, "    else if (out[%u].kind == 0)\n    ", j);
        ftl_c_refuse(code, from, impute->columns[j], FTL_C_MISSING);
    }
}

const ftl_c_writer ftl_c_impute_object = {
    .check = check_impute, .tables = impute_tables, .body = write_impute, .fails = true};

static ftl_status check_indicator(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    uint32_t from = op->segments[0].op;
    code->ops[id].fails = op->u.indicator.n_refused > 0;
    if (ftl_c_op_at(code, from)->edge == FTL_EDGE_OBJECT)
        return check_missing(code, id, &op->u.indicator.missing, error);
    return ftl_c_is_cell(code, from)
               ? ftl_c_unsupported(op, "an indicator of numbers over texts", error)
               : FTL_OK;
}

/* Whether a column of the indicator's source is missing. */
static void emit_missing(ftl_c_code *code, uint32_t id, uint32_t column)
{
    const ftl_indicator_op *op = &ftl_c_op_at(code, id)->u.indicator;
    uint32_t from = ftl_c_source(code, id);
    if (ftl_c_op_at(code, from)->edge == FTL_EDGE_OBJECT) {
        emit_same(code, &op->missing, from, column);
        return;
    }
    if (op->missing_is_nan) {
        ftl_emit_text(code->out, "isnan(");
        ftl_c_number(code, from, column, false);
        ftl_emit_text(code->out, ")");
        return;
    }
    ftl_c_number(code, from, column, false);
    ftl_emit_text(code->out, " == ");
    ftl_emit_c_f64(code->out,
                   code->ops[from].is_f32 ? (double)(float)op->missing_value : op->missing_value);
}

static void write_indicator(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_indicator_op *indicator = &op->u.indicator;
    for (uint32_t i = 0; i < indicator->n_refused; i++) {
        ftl_emit_text(code->out, "    if (");
        emit_missing(code, id, indicator->refused[i]);
        ftl_emit_text(code->out, ")\n    ");
        ftl_c_refuse(code, op->segments[0].op, indicator->refused[i], FTL_C_MISSING);
    }
    for (uint32_t j = 0; j < op->width; j++) {
        ftl_emitf(code->out, "    out[%u] = ", j);
        emit_missing(code, id, indicator->columns[j]);
        ftl_emit_text(code->out, " ? 1 : 0;\n");
    }
}

const ftl_c_writer ftl_c_indicator = {
    .check = check_indicator, .body = write_indicator, .fails = true};
