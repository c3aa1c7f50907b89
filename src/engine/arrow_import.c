#include "engine/arrow_import.h"

#include "base/column.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "engine/arrow_format.h"
#include "engine/columns.h"
#include "engine/names.h"

#include <stdlib.h>
#include <string.h>

/* An input's place in the record batch. */
typedef struct arrow_input {
    size_t child; /* SIZE_MAX: the model does not look at it */
    ftl_type type;
    ftl_type index_type, value_type; /* DICTIONARY */
} arrow_input;

struct ftl_arrow_binding {
    const ftl_model *model;
    ftl_account *account;
    size_t n_children, n_inputs;
    ftl_strbuf key; /* the children's names and formats, each with its NUL: schema_is */
    arrow_input *inputs;
    ftl_column *columns, *dictionaries; /* [n_inputs] */
};

/* ---- Schemas --------------------------------------------------------------------------------- */

static ftl_status check_schema(const struct ArrowSchema *schema, ftl_error *error)
{
    if (!schema->release)
        return FTL_FAIL(error, FTL_ARG, "the Arrow schema was released");
    if (!schema->format || strcmp(schema->format, "+s") != 0)
        return FTL_FAIL(error, FTL_ARG,
                        "the Arrow schema is no record batch's: its format is '%.40s', not '+s'",
                        schema->format ? schema->format : "");
    if (schema->n_children < 0 || (schema->n_children && !schema->children))
        return FTL_FAIL(error, FTL_ARG, "the Arrow schema has no children");
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *child = schema->children[i];
        if (!child || !child->format || (child->dictionary && !child->dictionary->format))
            return FTL_FAIL(error, FTL_ARG, "column %lld of the Arrow schema has no format",
                            (long long)i);
    }
    return FTL_OK;
}

static const char *name_of(const struct ArrowSchema *schema, size_t child)
{
    const char *name = schema->children[child]->name;
    return name ? name : "";
}

/* The texts that make two schemas equal, in order: of a child its name, format and dictionary. */
static const char *key_part(const struct ArrowSchema *schema, size_t child, int part)
{
    const struct ArrowSchema *c = schema->children[child];
    if (part == 0)
        return name_of(schema, child);
    if (part == 1)
        return c->format;
    return c->dictionary ? c->dictionary->format : "";
}

static bool schema_is(const ftl_arrow_binding *binding, const struct ArrowSchema *schema)
{
    size_t at = 0;
    if ((size_t)schema->n_children != binding->n_children)
        return false;
    for (size_t i = 0; i < binding->n_children; i++) {
        const struct ArrowSchema *dictionary = schema->children[i]->dictionary;
        if (dictionary && dictionary->dictionary) /* no key says so: it is looked at anew */
            return false;
        for (int part = 0; part < 3; part++) {
            const char *text = key_part(schema, i, part);
            size_t size = strlen(text) + 1;
            if (size > binding->key.size - at || memcmp(binding->key.data + at, text, size) != 0)
                return false;
            at += size;
        }
    }
    return true;
}

/* ---- Types ----------------------------------------------------------------------------------- */

static ftl_status type_error(const char *name, size_t child, const char *format, const char *role,
                             ftl_error *error)
{
    const char *words = ftl_arrow_format_words(format);
    if (!words)
        return FTL_FAIL(error, FTL_ARG, "column %zu '%.120s': %s'%.40s' is no format of Arrow",
                        child, name, role, format);
    return FTL_FAIL_BECAUSE(
        error, FTL_SCHEMA, FTL_REASON_COLUMN_TYPE,
        "column %zu '%.120s' is %s%s (format %.40s), which no model takes; cast it to "
        "a number or to text",
        child, name, role, words, format);
}

static ftl_status set_type(const struct ArrowSchema *schema, arrow_input *input, ftl_error *error)
{
    const struct ArrowSchema *child = schema->children[input->child];
    const char *name = name_of(schema, input->child);
    ftl_type type;
    if (!ftl_arrow_format_parse(child->format, &type))
        return type_error(name, input->child, child->format, "", error);
    if (child->n_children)
        return FTL_FAIL(error, FTL_ARG, "column %zu '%.120s' has children of its own", input->child,
                        name);
    input->type = type;
    if (!child->dictionary)
        return FTL_OK;
    if (!ftl_type_is_integer(type))
        return FTL_FAIL(error, FTL_ARG,
                        "column %zu '%.120s' is a dictionary whose indices are no integers",
                        input->child, name);
    if (child->dictionary->dictionary)
        return FTL_FAIL_BECAUSE(
            error, FTL_SCHEMA, FTL_REASON_COLUMN_TYPE,
            "column %zu '%.120s' is a dictionary of dictionaries, which no model takes",
            input->child, name);
    if (!ftl_arrow_format_parse(child->dictionary->format, &input->value_type))
        return type_error(name, input->child, child->dictionary->format, "a dictionary of ", error);
    input->index_type = type;
    input->type = FTL_DICTIONARY;
    return FTL_OK;
}

/* ---- Matching -------------------------------------------------------------------------------- */

typedef struct named_child {
    const char *name;
    size_t child;
} named_child;

static int by_name(const void *a, const void *b)
{
    const named_child *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->child > y->child) - (x->child < y->child);
}

/* How many children bear a name; *first is the first of them in the sorted list. */
static size_t find_name(const named_child *sorted, size_t n, const char *name, size_t *first)
{
    size_t low = 0, high = n, found = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(sorted[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *first = low;
    while (low + found < n && strcmp(sorted[low + found].name, name) == 0)
        found++;
    return found;
}

/* As find_name, for models that keep names with '_' for spaces. */
static size_t find_spaced(const named_child *sorted, size_t n, const char *name, size_t *first)
{
    size_t found = 0;
    for (size_t i = n; i-- > 0;) {
        if (ftl_equal_but_for_spaces(sorted[i].name, name)) {
            *first = i;
            found++;
        }
    }
    return found;
}

static ftl_status match_sorted(ftl_arrow_binding *binding, const named_child *sorted,
                               ftl_strbuf *missing, ftl_error *error)
{
    const ftl_model *model = binding->model;
    bool spaces_lost = strcmp(model->library, "LightGBM") == 0;
    size_t n_missing = 0;
    for (size_t i = 0; i < binding->n_inputs; i++) {
        size_t first = 0;
        if (model->inputs[i].kind == FTL_KIND_UNUSED)
            continue;
        const char *name = model->inputs[i].name;
        size_t found = find_name(sorted, binding->n_children, name, &first);
        if (found == 0 && spaces_lost && strchr(name, '_'))
            found = find_spaced(sorted, binding->n_children, name, &first);
        if (found > 1)
            return FTL_FAIL_BECAUSE(
                error, FTL_SCHEMA, FTL_REASON_DUPLICATE_COLUMN,
                "column '%.120s' appears %zu times in the record batch; rename the "
                "others",
                name, found);
        if (found)
            binding->inputs[i].child = sorted[first].child;
        else if (n_missing++ < 20)
            ftl_strbuf_printf(missing, "%s%s", n_missing > 1 ? ", " : "", name);
    }
    if (n_missing > 20)
        ftl_strbuf_printf(missing, " and %zu more", n_missing - 20);
    if (n_missing)
        return FTL_FAIL_BECAUSE(error, FTL_SCHEMA, FTL_REASON_MISSING_COLUMNS,
                                "%zu column%s of the model %s missing in the record batch: %s",
                                n_missing, n_missing == 1 ? "" : "s", n_missing == 1 ? "is" : "are",
                                ftl_strbuf_text(missing));
    return FTL_OK;
}

static ftl_status match_names(ftl_arrow_binding *binding, const struct ArrowSchema *schema,
                              ftl_error *error)
{
    for (size_t i = 0; i < binding->n_children; i++) {
        const char *name = name_of(schema, i);
        if (!ftl_utf8_valid(name, strlen(name)))
            return FTL_FAIL(error, FTL_SCHEMA,
                            "the name of column %zu of the record batch is not UTF-8", i);
    }
    named_child *sorted = ftl_alloc_array(binding->account, binding->n_children + 1,
                                          sizeof *sorted);
    if (!sorted)
        return FTL_OOM(error);
    for (size_t i = 0; i < binding->n_children; i++)
        sorted[i] = (named_child){name_of(schema, i), i};
    qsort(sorted, binding->n_children, sizeof *sorted, by_name);
    ftl_strbuf missing;
    ftl_strbuf_init(&missing, binding->account, 1 << 16);
    ftl_status status = match_sorted(binding, sorted, &missing, error);
    ftl_strbuf_free(&missing);
    ftl_free(binding->account, sorted);
    return status;
}

static ftl_status match_positions(ftl_arrow_binding *binding, ftl_error *error)
{
    const ftl_model *model = binding->model;
    if (binding->n_children != binding->n_inputs)
        return FTL_FAIL_BECAUSE(
            error, FTL_SHAPE, FTL_REASON_COLUMN_COUNT,
            "the record batch has %zu columns and the model, which has no column "
            "names, expects %zu",
            binding->n_children, binding->n_inputs);
    for (size_t i = 0; i < binding->n_inputs; i++) {
        if (model->open_width || model->inputs[i].kind != FTL_KIND_UNUSED)
            binding->inputs[i].child = i;
    }
    return FTL_OK;
}

static ftl_status fill_binding(ftl_arrow_binding *binding, const struct ArrowSchema *schema,
                               ftl_error *error)
{
    size_t n = binding->n_inputs;
    binding->inputs = ftl_alloc_zero(binding->account, n + 1, sizeof *binding->inputs);
    binding->columns = ftl_alloc_zero(binding->account, n + 1, sizeof *binding->columns);
    binding->dictionaries = ftl_alloc_zero(binding->account, n + 1, sizeof *binding->dictionaries);
    if (!binding->inputs || !binding->columns || !binding->dictionaries)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++)
        binding->inputs[i].child = SIZE_MAX;
    /* A model that never looks at its input, such as a DummyClassifier, takes any record batch. */
    if (n && binding->model->has_input_names && !binding->model->open_width)
        FTL_TRY(match_names(binding, schema, error));
    else if (n)
        FTL_TRY(match_positions(binding, error));
    for (size_t i = 0; i < n; i++) {
        if (binding->inputs[i].child != SIZE_MAX)
            FTL_TRY(set_type(schema, &binding->inputs[i], error));
    }
    for (size_t i = 0; i < binding->n_children; i++) {
        for (int part = 0; part < 3; part++) {
            const char *text = key_part(schema, i, part);
            ftl_strbuf_append(&binding->key, text, strlen(text) + 1);
        }
    }
    return binding->key.failed ? FTL_OOM(error) : FTL_OK;
}

ftl_status ftl_arrow_bind(const ftl_model *model, ftl_account *account,
                          const struct ArrowSchema *schema, ftl_arrow_binding **binding,
                          ftl_error *error)
{
    ftl_status status = check_schema(schema, error);
    if (status == FTL_OK && *binding && schema_is(*binding, schema))
        return FTL_OK;
    ftl_arrow_binding_destroy(*binding);
    *binding = NULL;
    FTL_TRY(status);
    ftl_arrow_binding *made = ftl_alloc_zero(account, 1, sizeof *made);
    if (!made)
        return FTL_OOM(error);
    made->model = model;
    made->account = account;
    made->n_children = (size_t)schema->n_children;
    /* A model that does not say how many columns it takes takes them all. */
    made->n_inputs = model->open_width ? made->n_children : model->graph.n_inputs;
    ftl_strbuf_init(&made->key, account, 0);
    status = fill_binding(made, schema, error);
    if (status != FTL_OK) {
        ftl_arrow_binding_destroy(made);
        return status;
    }
    *binding = made;
    return FTL_OK;
}

void ftl_arrow_binding_destroy(ftl_arrow_binding *binding)
{
    if (!binding)
        return;
    ftl_strbuf_free(&binding->key);
    ftl_free(binding->account, binding->inputs);
    ftl_free(binding->account, binding->columns);
    ftl_free(binding->account, binding->dictionaries);
    ftl_free(binding->account, binding);
}

/* ---- Arrays ---------------------------------------------------------------------------------- */

/* The buffers that an array of a type has; views have at least so many. */
static int64_t buffers_of(ftl_type type)
{
    switch (type) {
    case FTL_NULL:
        return 0;
    case FTL_STRING:
    case FTL_LARGE_STRING:
    case FTL_STRING_VIEW:
        return 3;
    default:
        return 2;
    }
}

/* Counts and pointers of an array; what its buffers hold is looked at when the batch is. */
static ftl_status check_array(const struct ArrowArray *array, ftl_type type, ftl_error *error)
{
    int64_t end, buffers = buffers_of(type);
    if (!array)
        return FTL_FAIL(error, FTL_ARG, "is no array");
    if (array->length < 0 || array->offset < 0 ||
        __builtin_add_overflow(array->length, array->offset, &end) || array->null_count < -1 ||
        array->null_count > array->length)
        return FTL_FAIL(error, FTL_ARG, "has a length, offset or null_count out of range");
    bool enough = type == FTL_STRING_VIEW ? array->n_buffers >= buffers
                                          : array->n_buffers == buffers;
    if (!enough || (buffers && !array->buffers))
        return FTL_FAIL(error, FTL_ARG, "has %lld buffers where its type has %lld",
                        array->buffers ? (long long)array->n_buffers : 0LL, (long long)buffers);
    if (array->n_children)
        return FTL_FAIL(error, FTL_ARG, "has children of its own");
    if (buffers && array->null_count > 0 && !array->buffers[0])
        return FTL_FAIL(error, FTL_ARG, "counts nulls and has no validity");
    return FTL_OK;
}

/* Borrows the array's buffers; rows are seen to afterwards. */
static ftl_column view_array(const struct ArrowArray *array, ftl_type type)
{
    ftl_column column = {.type = type, .offset = (size_t)array->offset};
    if (type == FTL_NULL)
        return column;
    if (array->null_count != 0)
        column.validity = array->buffers[0];
    column.values = array->buffers[type == FTL_STRING || type == FTL_LARGE_STRING ? 2 : 1];
    if (type == FTL_STRING)
        column.offsets = array->buffers[1];
    if (type == FTL_LARGE_STRING)
        column.large_offsets = array->buffers[1];
    if (type == FTL_STRING_VIEW) {
        column.n_buffers = (size_t)(array->n_buffers - 3);
        column.buffers = array->buffers + 2;
        column.buffer_sizes = array->buffers[array->n_buffers - 1];
    }
    return column;
}

static ftl_status view_column(ftl_arrow_binding *binding, size_t i, const struct ArrowArray *batch,
                              ftl_error *error)
{
    const arrow_input *input = &binding->inputs[i];
    const struct ArrowArray *child = batch->children[input->child];
    ftl_column *column = &binding->columns[i];
    FTL_TRY(check_array(child, input->type, error));
    if (child->length < batch->offset || child->length - batch->offset < batch->length)
        return FTL_FAIL(error, FTL_ARG, "has %lld rows; the record batch needs %lld",
                        (long long)child->length, (long long)(batch->offset + batch->length));
    *column = view_array(child, input->type);
    column->offset += (size_t)batch->offset;
    if (input->type != FTL_DICTIONARY)
        return child->dictionary
                   ? FTL_FAIL(error, FTL_ARG, "has a dictionary of which the schema does not tell")
                   : FTL_OK;
    if (!child->dictionary)
        return FTL_FAIL(error, FTL_ARG, "has no dictionary");
    FTL_TRY(check_array(child->dictionary, input->value_type, error));
    binding->dictionaries[i] = view_array(child->dictionary, input->value_type);
    column->index_type = input->index_type;
    column->dictionary = &binding->dictionaries[i];
    column->dictionary_rows = (size_t)child->dictionary->length;
    return FTL_OK;
}

/* A record batch has rows of columns; none of them is null as a whole. */
static bool has_null_rows(const struct ArrowArray *array)
{
    const uint8_t *validity = array->buffers ? array->buffers[0] : NULL;
    for (int64_t i = 0; validity && array->null_count != 0 && i < array->length; i++) {
        int64_t at = array->offset + i;
        if (!(validity[at / 8] >> (at % 8) & 1))
            return true;
    }
    return false;
}

static ftl_status check_batch(const ftl_arrow_binding *binding, const struct ArrowArray *array,
                              ftl_error *error)
{
    int64_t end;
    if (!array->release)
        return FTL_FAIL(error, FTL_ARG, "the Arrow array was released");
    if (array->length < 0 || array->offset < 0 ||
        __builtin_add_overflow(array->length, array->offset, &end))
        return FTL_FAIL(error, FTL_ARG, "the Arrow array has a length or offset out of range");
    if (array->n_children < 0 || (size_t)array->n_children != binding->n_children ||
        (array->n_children && !array->children))
        return FTL_FAIL(error, FTL_ARG, "the Arrow array has %lld columns where its schema has %zu",
                        array->children ? (long long)array->n_children : 0LL, binding->n_children);
    if (array->n_buffers != 1 || !array->buffers)
        return FTL_FAIL(error, FTL_ARG, "the Arrow array is no record batch's: it has %lld buffers",
                        array->buffers ? (long long)array->n_buffers : 0LL);
    if (has_null_rows(array))
        return FTL_FAIL(error, FTL_ARG, "the record batch has rows that are null as a whole");
    return FTL_OK;
}

ftl_status ftl_arrow_view(ftl_arrow_binding *binding, const struct ArrowArray *array,
                          ftl_batch *out, ftl_error *error)
{
    FTL_TRY(check_batch(binding, array, error));
    for (size_t i = 0; i < binding->n_inputs; i++) {
        if (binding->inputs[i].child == SIZE_MAX)
            continue;
        ftl_status status = view_column(binding, i, array, error);
        if (status != FTL_OK) {
            ftl_column_add_place(binding->model, i, error);
            return status;
        }
    }
    *out = (ftl_batch){
        .rows = (size_t)array->length, .n_columns = binding->n_inputs, .columns = binding->columns};
    return FTL_OK;
}
