#include "engine/arrow_import.h"

#include "base/strbuf.h"
#include "base/utf8.h"
#include "engine/columns.h"
#include "engine/names.h"
#include "table/arrow_c.h"

#include <stdlib.h>
#include <string.h>

/* An input's place in the record batch. */
typedef struct arrow_input {
    size_t child; /* SIZE_MAX: the model does not look at it */
    ftl_arrow_type type;
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

/* The texts that make two schemas equal, in order: of a child its name, format and dictionary. */
static const char *key_part(const struct ArrowSchema *schema, size_t child, int part)
{
    const struct ArrowSchema *c = schema->children[child];
    if (part == 0)
        return ftl_arrow_child_name(schema, child);
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
        const char *name = ftl_arrow_child_name(schema, i);
        if (!ftl_utf8_valid(name, strlen(name)))
            return FTL_FAIL(error, FTL_SCHEMA,
                            "the name of column %zu of the record batch is not UTF-8", i);
    }
    named_child *sorted = ftl_alloc_array(binding->account, binding->n_children + 1,
                                          sizeof *sorted);
    if (!sorted)
        return FTL_OOM(error);
    for (size_t i = 0; i < binding->n_children; i++)
        sorted[i] = (named_child){ftl_arrow_child_name(schema, i), i};
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
            FTL_TRY(ftl_arrow_child_type(schema, binding->inputs[i].child, &binding->inputs[i].type,
                                         error));
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
    ftl_status status = ftl_arrow_schema_check(schema, error);
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

ftl_status ftl_arrow_view(ftl_arrow_binding *binding, const struct ArrowArray *array,
                          ftl_batch *out, ftl_error *error)
{
    FTL_TRY(ftl_arrow_batch_check(array, binding->n_children, error));
    for (size_t i = 0; i < binding->n_inputs; i++) {
        if (binding->inputs[i].child == SIZE_MAX)
            continue;
        ftl_status status = ftl_arrow_child_view(array, binding->inputs[i].child,
                                                 &binding->inputs[i].type, &binding->columns[i],
                                                 &binding->dictionaries[i], error);
        if (status != FTL_OK) {
            ftl_column_add_place(binding->model, i, error);
            return status;
        }
    }
    *out = (ftl_batch){
        .rows = (size_t)array->length, .n_columns = binding->n_inputs, .columns = binding->columns};
    return FTL_OK;
}
