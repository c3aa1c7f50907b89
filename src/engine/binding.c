/* Matching a table's columns with a model's schema. */
#include "base/strbuf.h"
#include "engine/job.h"
#include "engine/names.h"
#include "foretell/experimental.h"
#include "io/codec.h"

#include <stdio.h>
#include <string.h>

/* ---- Opening --------------------------------------------------------------------------------- */

ftl_status ftl_job_open(ftl_account *account, const char *path, const ftl_score_options *options,
                        ftl_table **out, ftl_error *error)
{
    ftl_stream *stream = NULL;
    uint64_t size = 0;
    FTL_TRY(ftl_stream_open_file_cancellable(account, path, options->cancel, &stream, &size,
                                             error));
    char codecs[64] = "";
    ftl_status status = ftl_codec_decode(account, &stream, 0, codecs, sizeof codecs, error);
    ftl_table_options table = {.name = path,
                               .format = options->input_format,
                               .delimiter = options->delimiter,
                               .decimal = options->decimal,
                               .no_header = options->no_header,
                               .na_values = options->na_values,
                               .n_na_values = options->n_na_values,
                               .max_record_bytes = options->max_record_bytes,
                               .empty_text = options->empty_text};
    if (status == FTL_OK)
        status = ftl_table_recode(account, &stream, options->encoding, &table.encoding, error);
    /* progress counts decoded bytes, whose total is unknown */
    table.bytes_total = codecs[0] || table.encoding ? 0 : size;
    if (status == FTL_OK)
        status = ftl_table_open(account, stream, &table, out, error);
    if (status != FTL_OK)
        ftl_stream_close(stream);
    return status;
}

/* ---- Matching -------------------------------------------------------------------------------- */

static bool is_used(const ftl_model *model, size_t input)
{
    return model->inputs[input].kind != FTL_KIND_UNUSED;
}

static void add_request(ftl_binding *binding, size_t index, ftl_type type, bool raw)
{
    binding->requests[binding->n_requests++] = (ftl_table_column_request){
        .index = index, .type = type, .raw = raw};
}

static void bind_input(const ftl_model *model, const ftl_table *table, ftl_binding *binding,
                       size_t input, size_t column)
{
    bool cells = ftl_table_get_info(table)->abilities & FTL_TABLE_CELLS;
    ftl_type type = model->inputs[input].batch_type;
    binding->request_of_input[input] = binding->n_requests;
    bool narrow = !cells && ftl_table_column_type(table, column) == FTL_F32;
    if (type != FTL_STRING)
        *(narrow ? &binding->has_narrow : &binding->has_wide) = true;
    add_request(binding, column, type == FTL_STRING ? FTL_STRING : FTL_F64, false);
}

/*
 * The table's name that a wanted one may be meant by, and that is no wanted one's own; NULL: none,
 * or more columns than is worth the search.
 */
static const char *nearest_column(const ftl_table *table, const char *name)
{
    enum { most_columns = 1000 };
    size_t best = SIZE_MAX, n = ftl_table_get_info(table)->n_columns;
    const char *nearest = NULL;
    for (size_t i = 0; n <= most_columns && i < n; i++) {
        const char *header = ftl_table_column_name(table, i);
        size_t distance = header ? ftl_name_distance(name, header) : SIZE_MAX;
        if (distance < best) {
            best = distance;
            nearest = header;
        }
    }
    return nearest;
}

/* What is there in the place of a column that is not; "" when nothing comes near. */
static const char *suggestion(const ftl_table *table, const char *name, char out[192])
{
    const char *near = ftl_table_get_info(table)->has_names ? nearest_column(table, name) : NULL;
    out[0] = '\0';
    if (near)
        snprintf(out, 192, "; did you mean '%.80s' for '%.80s'?", near, name);
    return out;
}

/* Lists what a header lacks, in one error. first: the first of the names. */
static ftl_status missing_error(const ftl_table *table, ftl_strbuf *names, size_t n,
                                const char *first, ftl_error *error)
{
    const ftl_table_info *info = ftl_table_get_info(table);
    char hint[192];
    if (!info->has_names)
        return FTL_FAIL_OPTION(error, FTL_SCHEMA, FTL_REASON_NO_HEADER, "features",
                               "the %s file has no header, so that options.features takes the "
                               "positions 0 to %zu, not %s",
                               info->format, info->n_columns - 1, ftl_strbuf_text(names));
    return FTL_FAIL_BECAUSE(error, FTL_SCHEMA, FTL_REASON_MISSING_COLUMNS,
                            "%zu column%s of the model %s missing in the table: %s%s", n,
                            n == 1 ? "" : "s", n == 1 ? "is" : "are", ftl_strbuf_text(names),
                            suggestion(table, first, hint));
}

static size_t find_spaced(const ftl_table *table, const char *name, size_t *column)
{
    size_t found = 0;
    for (size_t i = ftl_table_get_info(table)->n_columns; i-- > 0;) {
        const char *header = ftl_table_column_name(table, i);
        if (header && ftl_equal_but_for_spaces(header, name)) {
            *column = i;
            found++;
        }
    }
    return found;
}

/*
 * Columns of a table without names are called by their positions, from 0: "3", or "column_3" as
 * outputs call them. False for other words.
 */
static bool column_number(const ftl_table *table, const char *name, size_t *column)
{
    static const char prefix[] = "column_";
    size_t n = ftl_table_get_info(table)->n_columns, number = 0;
    if (strncmp(name, prefix, sizeof prefix - 1) == 0)
        name += sizeof prefix - 1;
    if (!*name)
        return false;
    for (; *name; name++) {
        if (*name < '0' || *name > '9' || number >= n)
            return false;
        number = number * 10 + (size_t)(*name - '0');
    }
    *column = number;
    return number < n;
}

static ftl_status find_one(const ftl_table *table, const char *name, bool spaces_lost,
                           size_t *column, bool *missing, ftl_error *error)
{
    if (!ftl_table_get_info(table)->has_names) {
        *missing = !column_number(table, name, column);
        return FTL_OK;
    }
    size_t found = ftl_table_find(table, name, column);
    if (found == 0 && spaces_lost && strchr(name, '_'))
        found = find_spaced(table, name, column);
    *missing = found == 0;
    if (found > 1)
        return FTL_FAIL_BECAUSE(
            error, FTL_SCHEMA, FTL_REASON_DUPLICATE_COLUMN,
            "column '%.120s' appears %zu times in the header; rename the others", name, found);
    return FTL_OK;
}

static ftl_status match_names(const ftl_model *model, const ftl_table *table,
                              const char *const *names, ftl_binding *binding,
                              ftl_strbuf *missing_names, ftl_error *error)
{
    size_t n_missing = 0;
    const char *first = NULL;
    bool spaces_lost = strcmp(model->library, "LightGBM") == 0;
    for (size_t i = 0; i < binding->n_inputs; i++) {
        size_t column = 0;
        bool missing = false;
        const char *name = names ? names[i] : model->inputs[i].name;
        binding->request_of_input[i] = SIZE_MAX;
        if (!is_used(model, i))
            continue;
        FTL_TRY(find_one(table, name, spaces_lost, &column, &missing, error));
        if (!missing)
            bind_input(model, table, binding, i, column);
        if (missing)
            binding->missing[i] = name;
        if (missing && !first)
            first = name;
        if (missing && n_missing++ < 20)
            ftl_strbuf_printf(missing_names, "%s%s", n_missing > 1 ? ", " : "", name);
    }
    if (n_missing > 20)
        ftl_strbuf_printf(missing_names, " and %zu more", n_missing - 20);
    return n_missing ? missing_error(table, missing_names, n_missing, first, error) : FTL_OK;
}

/* Whether the options name the column itself as one to keep; "*" sets nothing aside. */
static bool is_kept(const ftl_table *table, size_t column, const ftl_score_options *options)
{
    const char *name = ftl_table_column_name(table, column);
    for (size_t i = 0; i < options->n_keep; i++) {
        size_t number = SIZE_MAX;
        if (name ? strcmp(name, options->keep[i]) == 0
                 : column_number(table, options->keep[i], &number) && number == column)
            return true;
    }
    return false;
}

ftl_status ftl_job_model(ftl_model *model, const ftl_table *table, const ftl_score_options *options,
                         ftl_model **out, ftl_error *error)
{
    if (!model->open_width) {
        *out = ftl_model_retain(model);
        return FTL_OK;
    }
    size_t n = 0;
    for (size_t i = 0; i < ftl_table_get_info(table)->n_columns; i++)
        n += !is_kept(table, i, options);
    return ftl_model_with_inputs(model, options->n_features ? options->n_features : n, out, error);
}

/* Models without names take the columns as they come, those to keep set aside. */
static ftl_status match_positions(const ftl_model *model, const ftl_table *table,
                                  const ftl_score_options *options, ftl_binding *binding,
                                  ftl_error *error)
{
    const ftl_table_info *info = ftl_table_get_info(table);
    size_t kept = 0, input = 0;
    if (binding->n_inputs == 0)
        /* a model that never looks at its input, such as a DummyClassifier, takes any table */
        return FTL_OK;
    for (size_t i = 0; i < info->n_columns; i++)
        kept += is_kept(table, i, options);
    if (info->n_columns - kept != binding->n_inputs && info->n_columns != binding->n_inputs)
        return FTL_FAIL_OPTION(
            error, FTL_SHAPE, FTL_REASON_COLUMN_COUNT, "features",
            "the table has %zu columns%s and the model, which has no column names, "
            "expects %zu; choose them with options.features and set others aside with options.keep",
            info->n_columns - kept, kept ? " besides those to keep" : "", binding->n_inputs);
    bool all = info->n_columns == binding->n_inputs;
    for (size_t i = 0; i < info->n_columns; i++) {
        if (!all && is_kept(table, i, options))
            continue;
        binding->request_of_input[input] = SIZE_MAX;
        if (is_used(model, input))
            bind_input(model, table, binding, input, i);
        input++;
    }
    return FTL_OK;
}

ftl_status ftl_binding_find(const ftl_table *table, const char *name, const char *option,
                            size_t *column, ftl_error *error)
{
    const ftl_table_info *info = ftl_table_get_info(table);
    char hint[192];
    bool missing = false;
    FTL_TRY(find_one(table, name, false, column, &missing, error));
    if (missing && !info->has_names)
        return FTL_FAIL_OPTION(error, FTL_SCHEMA, FTL_REASON_MISSING_COLUMNS, option,
                               "the %s file has no header, so that options.%s takes the positions "
                               "0 to %zu, not '%.120s'",
                               info->format, option, info->n_columns - 1, name);
    if (missing)
        return FTL_FAIL_OPTION(error, FTL_SCHEMA, FTL_REASON_MISSING_COLUMNS, option,
                               "there is no column '%.120s' for options.%s in the table%s", name,
                               option, suggestion(table, name, hint));
    return FTL_OK;
}

/* Adds a column to those to keep, unless it is one of them already. */
static ftl_status add_kept(const ftl_table *table, size_t column, uint8_t *kept, ftl_arena *arena,
                           ftl_binding *binding, ftl_error *error)
{
    const char *name = ftl_table_column_name(table, column);
    if (kept[column])
        return FTL_OK;
    kept[column] = 1;
    if (!name)
        name = ftl_arena_printf(arena, "column_%zu", column);
    if (!name)
        return FTL_OOM(error);
    binding->keep_names[binding->n_keep++] = name;
    add_request(binding, column, ftl_table_column_type(table, column), true);
    return FTL_OK;
}

static ftl_status bind_keep(const ftl_table *table, const ftl_score_options *options,
                            ftl_arena *arena, ftl_binding *binding, ftl_error *error)
{
    size_t n_columns = ftl_table_get_info(table)->n_columns;
    /* one more than the file has: where rows come from */
    uint8_t *kept = ftl_arena_zero_array(arena, n_columns + 1, 1);
    binding->keep_names = ftl_arena_zero_array(arena, n_columns + 1, sizeof *binding->keep_names);
    if (!kept || !binding->keep_names)
        return FTL_OOM(error);
    binding->first_keep = binding->n_requests;
    for (size_t i = 0; i < options->n_keep; i++) {
        size_t column = 0;
        bool all = strcmp(options->keep[i], "*") == 0;
        if (!all && !ftl_table_find_origin(table, options->keep[i], &column))
            FTL_TRY(ftl_binding_find(table, options->keep[i], "keep", &column, error));
        for (size_t end = all ? n_columns : column + 1; column < end; column++)
            FTL_TRY(add_kept(table, column, kept, arena, binding, error));
    }
    return FTL_OK;
}

ftl_status ftl_binding_make(const ftl_model *model, const ftl_table *table,
                            const ftl_score_options *options, ftl_arena *arena, ftl_binding *out,
                            ftl_error *error)
{
    ftl_binding binding = {.n_inputs = model->graph.n_inputs};
    size_t n_keep = options->n_keep ? ftl_table_get_info(table)->n_columns + 1 : 0;
    binding.requests = ftl_arena_zero_array(arena, binding.n_inputs + n_keep + 1,
                                            sizeof *binding.requests);
    binding.request_of_input = ftl_arena_zero_array(arena, binding.n_inputs + 1,
                                                    sizeof *binding.request_of_input);
    binding.missing = ftl_arena_zero_array(arena, binding.n_inputs + 1, sizeof *binding.missing);
    if (!binding.requests || !binding.request_of_input || !binding.missing)
        return FTL_OOM(error);
    ftl_status status;
    if (options->n_features && options->n_features != binding.n_inputs)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_COLUMN_COUNT, "features",
                               "options.features names %zu columns; the model expects %zu",
                               options->n_features, binding.n_inputs);
    binding.by_name = options->n_features ||
                      (model->has_input_names && ftl_table_get_info(table)->has_names);
    if (binding.by_name) {
        ftl_strbuf missing;
        ftl_strbuf_init(&missing, arena->account, 1 << 16);
        status = match_names(model, table, options->n_features ? options->features : NULL, &binding,
                             &missing, error);
        ftl_strbuf_free(&missing);
    } else {
        /*
         * A table without names (--no-header, .npy) is matched by position also for models with
         * names.
         */
        status = match_positions(model, table, options, &binding, error);
    }
    out->by_name = binding.by_name;
    out->missing = binding.missing;
    FTL_TRY(status);
    if (n_keep)
        FTL_TRY(bind_keep(table, options, arena, &binding, error));
    *out = binding;
    return FTL_OK;
}
