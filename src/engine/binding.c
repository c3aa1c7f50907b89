/* Matching a table's columns with a model's schema. */
#include "base/number.h"
#include "base/strbuf.h"
#include "engine/job.h"
#include "engine/names.h"
#include "foretell/experimental.h"
#include "io/codec.h"
#include "table/parts.h"

#include <stdio.h>
#include <string.h>

/* ---- Opening --------------------------------------------------------------------------------- */

/* Bytes of a block of text: a share of the memory that rows on their way may take. */
static size_t block_bytes(const ftl_score_options *options)
{
    enum { blocks = 16, least = 4096, most = 1 << 20 };
    uint64_t share = options->memory / blocks;
    if (options->memory == 0) /* as the format likes */
        return 0;
    return share > most ? most : share < least ? least : (size_t)share;
}

ftl_status ftl_job_open_stream(ftl_account *account, ftl_stream *stream, const char *name,
                               uint64_t size, const ftl_score_options *options, ftl_table **out,
                               ftl_error *error)
{
    char codecs[64] = "";
    ftl_status status = FTL_OK;
    if (!options->flush_early) /* finding out would be to wait */
        status = ftl_codec_decode(account, &stream, 0, codecs, sizeof codecs, error);
    ftl_table_options table = {.name = name,
                               .format = options->input_format,
                               .delimiter = options->delimiter,
                               .decimal = options->decimal,
                               .no_header = options->no_header,
                               .na_values = options->na_values,
                               .n_na_values = options->n_na_values,
                               .max_record_bytes = options->max_record_bytes,
                               .empty_text = options->empty_text,
                               .flush_early = options->flush_early,
                               .block_bytes = block_bytes(options)};
    if (status == FTL_OK && !options->flush_early)
        status = ftl_table_recode(account, &stream, options->encoding, &table.encoding, error);
    /* progress counts decoded bytes, whose total is unknown */
    table.bytes_total = codecs[0] || table.encoding ? 0 : size;
    if (status == FTL_OK)
        status = ftl_table_open(account, stream, &table, out, error);
    if (status != FTL_OK)
        ftl_stream_close(stream);
    return status;
}

ftl_status ftl_job_open(ftl_account *account, const char *path, const ftl_score_options *options,
                        ftl_table **out, ftl_error *error)
{
    ftl_stream *stream = NULL;
    uint64_t size = 0;
    FTL_TRY(
        ftl_stream_open_file_cancellable(account, path, options->cancel, &stream, &size, error));
    return ftl_job_open_stream(account, stream, path, size, options, out, error);
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

/*
 * Numbers go into columns of cells as their texts do (docs/ARROW.md). The text of a matrix's
 * fraction is no category that anybody trained on: 1.0 would not be the category 1.
 */
static ftl_status refuse_fractions(const ftl_model *model, const ftl_table *table, size_t input,
                                   size_t at, ftl_error *error)
{
    const ftl_table_info *info = ftl_table_get_info(table);
    const ftl_input_schema *column = &model->inputs[input];
    ftl_type type = ftl_table_column_type(table, at);
    bool fractions = type == FTL_F64 || type == FTL_F32;
    if (!fractions || info->has_names || column->kind != FTL_KIND_STRING)
        return FTL_OK;
    return FTL_FAIL_BECAUSE(error, FTL_SCHEMA, FTL_REASON_COLUMN_TYPE,
                            "column %zu%s%.100s%s of the model takes texts or categories, and the "
                            "%s file holds numbers of type %s; save it as integers where the "
                            "categories are whole numbers, or give a CSV",
                            input, column->name ? " ('" : "", column->name ? column->name : "",
                            column->name ? "')" : "", info->format,
                            type == FTL_F32 ? "float32" : "float64");
}

/* The request of a column as an input: of numbers or of texts, once for all models. */
static size_t input_request(ftl_binding *binding, size_t column, ftl_type type)
{
    uint32_t *seen = &binding->seen[type == FTL_STRING][column];
    if (*seen == 0) {
        add_request(binding, column, type, false);
        *seen = (uint32_t)binding->n_requests;
    }
    return *seen - 1;
}

static ftl_status bind_input(const ftl_model *model, const ftl_table *table, ftl_binding *binding,
                             size_t input, size_t column, ftl_error *error)
{
    bool cells = ftl_table_get_info(table)->abilities & FTL_TABLE_CELLS;
    ftl_type type = model->inputs[input].batch_type;
    bool narrow = !cells && ftl_table_column_type(table, column) == FTL_F32;
    if (type != FTL_STRING)
        *(narrow ? &binding->has_narrow : &binding->has_wide) = true;
    if (type == FTL_STRING)
        FTL_TRY(refuse_fractions(model, table, input, column, error));
    binding->request_of_input[input] = input_request(binding, column,
                                                     type == FTL_STRING ? FTL_STRING : FTL_F64);
    return FTL_OK;
}

/* A table's columns that a missing one may be meant by: those that are nobody's own. */
typedef struct candidates {
    const ftl_table *table;
    const bool *taken; /* [n_columns]; NULL: none is */
} candidates;

/* ftl_known_name */
static const char *candidate_at(const void *user, size_t i)
{
    const candidates *c = user;
    return c->taken && c->taken[i] ? NULL : ftl_table_column_name(c->table, i);
}

static const char *near_column(const candidates *c, const char *name)
{
    const ftl_table_info *info = ftl_table_get_info(c->table);
    return info->has_names ? ftl_name_nearest(name, candidate_at, c, info->n_columns) : NULL;
}

/* What stands in the places of the first columns that are missing. */
static ftl_status find_near(const ftl_table *table, ftl_arena *arena, ftl_binding *binding,
                            ftl_error *error)
{
    enum { most_near = 20 };
    bool *taken = ftl_arena_zero_array(arena, ftl_table_get_info(table)->n_columns, sizeof *taken);
    const candidates those = {table, taken};
    if (!taken)
        return FTL_OOM(error);
    for (size_t i = 0; i < binding->n_requests; i++)
        taken[binding->requests[i].index] = true;
    for (size_t i = 0, n = 0; i < binding->n_inputs && n < most_near; i++) {
        if (!binding->missing[i])
            continue;
        binding->near[i] = near_column(&those, binding->missing[i]);
        n++;
    }
    return FTL_OK;
}

/* "; did you mean 'Age' for 'age', 'Sex' for 'sex'?" of as many as have room; or nothing. */
static void put_hints(const ftl_binding *binding, ftl_strbuf *out)
{
    enum { most_hints = 4 };
    size_t n = 0;
    for (size_t i = 0; i < binding->n_inputs && n < most_hints; i++) {
        if (binding->near[i])
            ftl_strbuf_printf(out, "%s'%.40s' for '%.40s'", n++ ? ", " : "; did you mean ",
                              binding->near[i], binding->missing[i]);
    }
    if (n)
        ftl_strbuf_putc(out, '?');
}

/* Names, as many as an error has room for beside what else it says. */
static size_t put_missing(const ftl_binding *binding, ftl_strbuf *out)
{
    enum { most_names = 20, most_bytes = 240 };
    size_t n = 0, more = 0;
    for (size_t i = 0; i < binding->n_inputs; i++) {
        const char *name = binding->missing[i];
        if (!name)
            continue;
        if (n >= most_names || (n && out->size + strlen(name) > most_bytes)) {
            more++;
            continue;
        }
        ftl_strbuf_printf(out, "%s%.120s", n ? ", " : "", name);
        n++;
    }
    if (more)
        ftl_strbuf_printf(out, " and %zu more", more);
    return n + more;
}

/* Why a CSV may have none of several columns that were looked for. */
static const char *why_none(const ftl_table *table, const ftl_binding *binding)
{
    const ftl_table_info *info = ftl_table_get_info(table);
    bool numbers = true;
    double number;
    if (binding->n_requests > 0 || !info->delimiter) /* only CSV has such a header */
        return "";
    for (size_t i = 0; i < info->n_columns && numbers; i++) {
        const char *name = ftl_table_column_name(table, i);
        numbers = ftl_parse_f64(name, strlen(name), '.', &number);
    }
    if (numbers)
        return "; its first line holds numbers: without a header it is read with "
               "options.no_header";
    return info->n_columns == 1 && binding->n_inputs > 1
               ? "; it has one column: say what stands between columns with options.delimiter"
               : "";
}

/* Lists what a header lacks, in one error; OK when that is nothing. */
static ftl_status refuse_missing(const ftl_table *table, ftl_arena *arena, ftl_binding *binding,
                                 ftl_error *error)
{
    const ftl_table_info *info = ftl_table_get_info(table);
    ftl_status status = FTL_OK;
    ftl_strbuf names, hints;
    ftl_strbuf_init(&names, arena->account, 1 << 16);
    ftl_strbuf_init(&hints, arena->account, 1 << 16);
    size_t n = put_missing(binding, &names);
    if (n && info->has_names)
        status = find_near(table, arena, binding, error);
    if (status == FTL_OK)
        put_hints(binding, &hints);
    if (status == FTL_OK && n && !info->has_names)
        status = FTL_FAIL_OPTION(error, FTL_SCHEMA, FTL_REASON_NO_HEADER, "features",
                                 "the %s file has no header, so that options.features takes the "
                                 "positions 0 to %zu, not %s",
                                 info->format, info->n_columns - 1, ftl_strbuf_text(&names));
    else if (status == FTL_OK && n)
        status = FTL_FAIL_BECAUSE(error, FTL_SCHEMA, FTL_REASON_MISSING_COLUMNS,
                                  "%zu column%s of the model %s missing in the table: %s%s", n,
                                  n == 1 ? "" : "s", n == 1 ? "is" : "are", ftl_strbuf_text(&names),
                                  hints.size ? ftl_strbuf_text(&hints) : why_none(table, binding));
    ftl_strbuf_free(&names);
    ftl_strbuf_free(&hints);
    return status;
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
                              const char *const *names, ftl_arena *arena, ftl_binding *binding,
                              ftl_error *error)
{
    bool spaces_lost = strcmp(model->library, "LightGBM") == 0;
    for (size_t i = 0; i < binding->n_inputs; i++) {
        size_t column = 0;
        bool missing = false;
        const char *name = names ? names[i] : model->inputs[i].name;
        binding->request_of_input[i] = SIZE_MAX;
        if (!is_used(model, i))
            continue;
        FTL_TRY(find_one(table, name, spaces_lost, &column, &missing, error));
        if (missing)
            binding->missing[i] = name;
        else
            FTL_TRY(bind_input(model, table, binding, i, column, error));
    }
    return refuse_missing(table, arena, binding, error);
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

ftl_status ftl_model_for_table(ftl_model *model, const ftl_table *table,
                               const ftl_score_options *options, ftl_model **out, ftl_error *error)
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
            "the table%s has %zu columns%s and the model%s expects %zu; choose them with "
            "options.features and set others aside with options.keep",
            info->has_names ? "" : ", which has no column names,", info->n_columns - kept,
            kept ? " besides those to keep" : "",
            info->has_names ? ", which has no column names," : "", binding->n_inputs);
    bool all = info->n_columns == binding->n_inputs;
    for (size_t i = 0; i < info->n_columns; i++) {
        if (!all && is_kept(table, i, options))
            continue;
        binding->request_of_input[input] = SIZE_MAX;
        if (is_used(model, input))
            FTL_TRY(bind_input(model, table, binding, input, i, error));
        input++;
    }
    return FTL_OK;
}

static ftl_status find_named(const ftl_table *table, const char *name, const char *option,
                             size_t *column, ftl_error *error)
{
    const ftl_table_info *info = ftl_table_get_info(table);
    bool missing = false;
    FTL_TRY(find_one(table, name, false, column, &missing, error));
    if (missing && !info->has_names)
        return FTL_FAIL_OPTION(error, FTL_SCHEMA, FTL_REASON_MISSING_COLUMNS, option,
                               "the %s file has no header, so that options.%s takes the positions "
                               "0 to %zu, not '%.120s'",
                               info->format, option, info->n_columns - 1, name);
    const candidates all = {table, NULL};
    const char *near = missing ? near_column(&all, name) : NULL;
    if (missing)
        return FTL_FAIL_OPTION(error, FTL_SCHEMA, FTL_REASON_MISSING_COLUMNS, option,
                               "there is no column '%.120s' for options.%s in the table%s%.80s%s",
                               name, option, near ? "; did you mean '" : "", near ? near : "",
                               near ? "'?" : "");
    return FTL_OK;
}

/* What is wrong with the columns of several files is wrong with those of the first. */
static ftl_status name_first(const ftl_table *table, ftl_status status, ftl_error *error)
{
    if (status != FTL_OK)
        ftl_table_name_origin(error, ftl_table_get_info(table)->first_part);
    return status;
}

ftl_status ftl_binding_find(const ftl_table *table, const char *name, const char *option,
                            size_t *column, ftl_error *error)
{
    return name_first(table, find_named(table, name, option, column, error), error);
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
        for (size_t end = all ? n_columns : column + 1; column < end; column++) {
            if (!all || !ftl_table_column_refused(table, column))
                FTL_TRY(add_kept(table, column, kept, arena, binding, error));
            else
                binding->left_out = true;
        }
    }
    return FTL_OK;
}

/* All columns that can be copied, for rows that are rejected whose records are no text. */
static ftl_status bind_rejects(const ftl_table *table, ftl_arena *arena, ftl_binding *binding,
                               ftl_error *error)
{
    size_t n_columns = ftl_table_get_info(table)->n_columns;
    binding->reject_names = ftl_arena_zero_array(arena, n_columns + 1,
                                                 sizeof *binding->reject_names);
    if (!binding->reject_names)
        return FTL_OOM(error);
    binding->first_reject = binding->n_requests;
    for (size_t i = 0; i < n_columns; i++) {
        const char *name = ftl_table_column_name(table, i);
        if (ftl_table_column_refused(table, i))
            continue;
        if (!name)
            name = ftl_arena_printf(arena, "column_%zu", i);
        if (!name)
            return FTL_OOM(error);
        binding->reject_names[binding->n_reject++] = name;
        add_request(binding, i, ftl_table_column_type(table, i), true);
    }
    return FTL_OK;
}

/* Requests of a model before this one, and room for as many more as there may be. */
static ftl_status begin_requests(ftl_binding *binding, const ftl_table *table, size_t n_copies,
                                 const ftl_binding *before, ftl_arena *arena, ftl_error *error)
{
    size_t n_before = before ? before->n_requests : 0;
    size_t n_columns = ftl_table_get_info(table)->n_columns;
    binding->requests = ftl_arena_zero_array(arena, n_before + binding->n_inputs + n_copies + 1,
                                             sizeof *binding->requests);
    for (int i = 0; i < 2; i++) {
        binding->seen[i] = before ? before->seen[i]
                                  : ftl_arena_zero_array(arena, n_columns, sizeof(uint32_t));
        if (!binding->seen[i])
            return FTL_OOM(error);
    }
    if (!binding->requests)
        return FTL_OOM(error);
    if (before) {
        memcpy(binding->requests, before->requests, n_before * sizeof *binding->requests);
        binding->n_requests = n_before;
        binding->first_keep = before->first_keep;
        binding->n_keep = before->n_keep;
        binding->keep_names = before->keep_names;
        binding->left_out = before->left_out;
        binding->first_reject = before->first_reject;
        binding->n_reject = before->n_reject;
        binding->reject_names = before->reject_names;
    }
    return FTL_OK;
}

ftl_status ftl_binding_make(const ftl_model *model, const ftl_table *table,
                            const ftl_score_options *options, const ftl_binding *before,
                            ftl_arena *arena, ftl_binding *out, ftl_error *error)
{
    ftl_binding binding = {.n_inputs = model->graph.n_inputs};
    size_t n_keep = options->n_keep && !before ? ftl_table_get_info(table)->n_columns + 1 : 0;
    bool rejects = options->reject_path && !before && !ftl_table_reject_format(table);
    size_t n_rejects = rejects ? ftl_table_get_info(table)->n_columns : 0;
    FTL_TRY(begin_requests(&binding, table, n_keep + n_rejects, before, arena, error));
    binding.request_of_input = ftl_arena_zero_array(arena, binding.n_inputs + 1,
                                                    sizeof *binding.request_of_input);
    binding.missing = ftl_arena_zero_array(arena, binding.n_inputs + 1, sizeof *binding.missing);
    binding.near = ftl_arena_zero_array(arena, binding.n_inputs + 1, sizeof *binding.near);
    if (!binding.request_of_input || !binding.missing || !binding.near)
        return FTL_OOM(error);
    ftl_status status;
    if (options->n_features && options->n_features != binding.n_inputs)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_COLUMN_COUNT, "features",
                               "options.features names %zu column%s; the model expects %zu",
                               options->n_features, options->n_features == 1 ? "" : "s",
                               binding.n_inputs);
    binding.by_name = options->n_features ||
                      (model->has_input_names && ftl_table_get_info(table)->has_names);
    if (binding.by_name) {
        status = match_names(model, table, options->n_features ? options->features : NULL, arena,
                             &binding, error);
    } else {
        /*
         * A table without names (--no-header, .npy) is matched by position also for models with
         * names.
         */
        status = match_positions(model, table, options, &binding, error);
    }
    out->by_name = binding.by_name;
    out->missing = binding.missing;
    out->near = binding.near;
    FTL_TRY(name_first(table, status, error));
    if (n_keep)
        FTL_TRY(bind_keep(table, options, arena, &binding, error));
    if (rejects)
        FTL_TRY(bind_rejects(table, arena, &binding, error));
    *out = binding;
    return FTL_OK;
}
