/* The core of a CatBoost model: columns, questions and trees. */
#include "formats/catboost_core.h"

#include <math.h>
#include <string.h>

enum { max_columns = 1 << 20, max_width = 1 << 16, max_trees = 1 << 24 };
static const char what[] = "the CatBoost model";

/* ---- The file -------------------------------------------------------------------------------- */

ftl_status ftl_cbm_open(const char *bytes, size_t size, ftl_cbm_file *out, ftl_error *error)
{
    const uint8_t *data = (const uint8_t *)bytes;
    if (size < 8 || memcmp(data, "CBM1", 4) != 0)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "this is no CatBoost model: it does not begin with CBM1");
    uint64_t core = ftl_le_u32(data + 4);
    size_t head = 8;
    if (core == UINT32_MAX) { /* a large size follows in 64 bits */
        if (size < 16)
            return FTL_FAIL(error, FTL_CORRUPT, "%s is cut off", what);
        core = ftl_le_u64(data + 8);
        head = 16;
    }
    if (core > size - head)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "%s is cut off: it has %zu bytes where %llu were expected", what, size,
                        (unsigned long long)core);
    *out = (ftl_cbm_file){.rest = data + head + core, .rest_size = size - head - (size_t)core};
    ftl_fb_init(&out->buffer, data + head, (size_t)core);
    out->core = ftl_fb_root(&out->buffer);
    ftl_fb_text format = ftl_fb_string(&out->core, CORE_FORMAT);
    out->trees = ftl_fb_child(&out->core, CORE_TREES);
    ftl_fb_expect(&out->core, CORE_KNOWN, "the core");
    ftl_fb_expect(&out->trees, TREES_KNOWN, "the trees");
    FTL_TRY(ftl_fb_status(&out->buffer, what, error));
    static const char known[] = "FlabuffersModel_v1"; /* spelt so */
    if (format.size != sizeof known - 1 || memcmp(format.text, known, format.size) != 0)
        return FTL_FAIL(error, FTL_UNSUPPORTED, "the CatBoost model has the unknown format %.*s",
                        format.size > 40 ? 40 : (int)format.size, format.text);
    if (!out->trees.buffer)
        return FTL_FAIL(error, FTL_CORRUPT, "%s has no trees", what);
    return FTL_OK;
}

/* ---- Columns --------------------------------------------------------------------------------- */

/* TFloatFeature and the others begin alike, but for HasNans. */
enum { FLOAT_HAS_NANS, FLOAT_INDEX, FLOAT_FLAT, FLOAT_BORDERS, FLOAT_NAME, FLOAT_NAN, FLOAT_KNOWN };
enum {
    OTHER_INDEX,
    OTHER_FLAT,
    OTHER_NAME,
    OTHER_IS_USED, /* by a tree: whoever asks none of it needs nothing */
    OTHER_KNOWN
};

static const struct {
    uint32_t field, flat, name, known;
    ftl_cbm_kind kind;
    const char *what;
} column_lists[] = {
    {TREES_FLOATS, FLOAT_FLAT, FLOAT_NAME, FLOAT_KNOWN, FTL_CBM_FLOAT, "a float feature"},
    {TREES_CATEGORIES, OTHER_FLAT, OTHER_NAME, OTHER_KNOWN, FTL_CBM_CATEGORY,
     "a categorical feature"},
    {TREES_TEXTS, OTHER_FLAT, OTHER_NAME, OTHER_KNOWN, FTL_CBM_TEXT, "a text feature"},
    {TREES_EMBEDDINGS, OTHER_FLAT, OTHER_NAME, OTHER_KNOWN + 1, FTL_CBM_EMBEDDING,
     "an embedding feature"}, /* with its dimension */
};

static ftl_status count_columns(const ftl_cbm_file *file, uint32_t *n, ftl_error *error)
{
    uint32_t count = 0;
    for (size_t k = 0; k < FTL_ARRAY_LEN(column_lists); k++) {
        ftl_fb_vector list = ftl_fb_items(&file->trees, column_lists[k].field, 4);
        for (uint32_t i = 0; i < list.count; i++) {
            ftl_fb_table item = ftl_fb_table_at(&list, i);
            int32_t flat = ftl_fb_i32(&item, column_lists[k].flat, -1);
            ftl_fb_expect(&item, column_lists[k].known, column_lists[k].what);
            FTL_TRY(ftl_fb_status(&file->buffer, what, error));
            if (flat < 0 || flat >= max_columns)
                return FTL_FAIL(error, FTL_CORRUPT, "a column has the number %d", flat);
            if ((uint32_t)flat >= count)
                count = (uint32_t)flat + 1;
        }
    }
    *n = count;
    return ftl_fb_status(&file->buffer, what, error);
}

static ftl_status fill_columns(ftl_arena *arena, const ftl_cbm_file *file, uint32_t n,
                               ftl_cbm_column *columns, ftl_error *error)
{
    for (uint32_t i = 0; i < n; i++)
        columns[i].name = "";
    for (size_t k = 0; k < FTL_ARRAY_LEN(column_lists); k++) {
        ftl_fb_vector list = ftl_fb_items(&file->trees, column_lists[k].field, 4);
        for (uint32_t i = 0; i < list.count; i++) {
            ftl_fb_table item = ftl_fb_table_at(&list, i);
            int32_t flat = ftl_fb_i32(&item, column_lists[k].flat, -1);
            ftl_fb_text name = ftl_fb_string(&item, column_lists[k].name);
            FTL_TRY(ftl_fb_status(&file->buffer, what, error));
            if (columns[flat].kind != FTL_CBM_NONE)
                return FTL_FAIL(error, FTL_CORRUPT, "two columns have the number %d", flat);
            columns[flat].kind = column_lists[k].kind;
            columns[flat].name = ftl_arena_string(arena, name.text, name.size);
            if (!columns[flat].name)
                return FTL_OOM(error);
        }
    }
    return ftl_fb_status(&file->buffer, what, error);
}

static ftl_status read_columns(ftl_arena *arena, const ftl_cbm_file *file, uint32_t *n,
                               const ftl_cbm_column **out, ftl_error *error)
{
    FTL_TRY(count_columns(file, n, error));
    ftl_cbm_column *columns = ftl_arena_zero_array(arena, *n, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    *out = columns;
    return fill_columns(arena, file, *n, columns, error);
}

ftl_status ftl_cbm_read_columns(ftl_arena *arena, const char *bytes, size_t size, uint32_t *n,
                                const ftl_cbm_column **out, ftl_error *error)
{
    ftl_cbm_file file;
    FTL_TRY(ftl_cbm_open(bytes, size, &file, error));
    return read_columns(arena, &file, n, out, error);
}

/* ---- Questions ------------------------------------------------------------------------------- */

static ftl_status read_float(ftl_arena *arena, const ftl_fb_table *from, ftl_cbm_float *out,
                             ftl_error *error)
{
    enum { as_is, as_false, as_true };
    ftl_fb_vector borders = ftl_fb_items(from, FLOAT_BORDERS, 4);
    uint8_t rule = ftl_fb_u8(from, FLOAT_NAN, as_is);
    if (rule > as_true)
        return FTL_FAIL(error, FTL_CORRUPT, "a column has the unknown rule %u for NaN", rule);
    /* where training met no NaN the rule does not hold: no comparison with NaN is true */
    *out = (ftl_cbm_float){.index = ftl_fb_i32(from, FLOAT_INDEX, -1),
                           .column = (uint32_t)ftl_fb_i32(from, FLOAT_FLAT, -1),
                           .nan_above = ftl_fb_u8(from, FLOAT_HAS_NANS, 0) && rule == as_true,
                           .n_borders = borders.count};
    return ftl_cbm_borders_of(arena, &borders, &out->borders, error);
}

/* Columns of a kind come in the order of their indices. */
static ftl_status out_of_order(ftl_error *error)
{
    return FTL_FAIL(error, FTL_CORRUPT, "the columns of the CatBoost model are not in order");
}

static ftl_status read_floats(ftl_arena *arena, const ftl_cbm_file *file, ftl_cbm *cbm,
                              ftl_error *error)
{
    ftl_fb_vector list = ftl_fb_items(&file->trees, TREES_FLOATS, 4);
    ftl_cbm_float *floats = ftl_arena_array(arena, list.count, sizeof *floats);
    if (!floats)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < list.count; i++) {
        ftl_fb_table item = ftl_fb_table_at(&list, i);
        ftl_cbm_float made;
        FTL_TRY(read_float(arena, &item, &made, error));
        if (made.n_borders == 0)
            continue;
        if (cbm->n_floats && floats[cbm->n_floats - 1].index >= made.index)
            return out_of_order(error);
        floats[cbm->n_floats++] = made;
    }
    cbm->floats = floats;
    return ftl_fb_status(&file->buffer, what, error);
}

static ftl_status read_categories(ftl_arena *arena, const ftl_cbm_file *file, ftl_cbm *cbm,
                                  ftl_error *error)
{
    ftl_fb_vector list = ftl_fb_items(&file->trees, TREES_CATEGORIES, 4);
    ftl_cbm_category *categories = ftl_arena_array(arena, list.count, sizeof *categories);
    if (!categories)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < list.count; i++) {
        ftl_fb_table item = ftl_fb_table_at(&list, i);
        categories[i] = (ftl_cbm_category){ftl_fb_i32(&item, OTHER_INDEX, -1),
                                           (uint32_t)ftl_fb_i32(&item, OTHER_FLAT, -1)};
        if (i && categories[i - 1].index >= categories[i].index)
            return out_of_order(error);
    }
    cbm->n_categories = list.count;
    cbm->categories = categories;
    return ftl_fb_status(&file->buffer, what, error);
}

static ftl_status read_matches(ftl_arena *arena, const ftl_cbm_file *file, ftl_cbm *cbm,
                               ftl_error *error)
{
    enum { one_hot_index, one_hot_values, one_hot_texts, one_hot_known };
    ftl_fb_vector list = ftl_fb_items(&file->trees, TREES_ONE_HOTS, 4);
    uint64_t total = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        ftl_fb_table item = ftl_fb_table_at(&list, i);
        ftl_fb_expect(&item, one_hot_known, "a one-hot feature");
        total += ftl_fb_items(&item, one_hot_values, 4).count;
    }
    FTL_TRY(ftl_fb_status(&file->buffer, what, error));
    if (total > max_columns)
        return FTL_FAIL(error, FTL_LIMIT, "the model compares with more than %d categories",
                        (int)max_columns);
    ftl_cbm_match *matches = ftl_arena_array(arena, total, sizeof *matches);
    if (!matches)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < list.count; i++) {
        ftl_fb_table item = ftl_fb_table_at(&list, i);
        ftl_fb_vector values = ftl_fb_items(&item, one_hot_values, 4);
        uint32_t category = 0;
        if (!ftl_cbm_find_category(cbm, ftl_fb_i32(&item, one_hot_index, -1), &category))
            return FTL_FAIL(error, FTL_CORRUPT, "a split is on a category that does not exist");
        for (uint32_t k = 0; k < values.count && cbm->n_matches < total; k++)
            matches[cbm->n_matches++] = (ftl_cbm_match){category,
                                                        (uint32_t)ftl_fb_i32_at(&values, k)};
    }
    cbm->matches = matches;
    return ftl_fb_status(&file->buffer, what, error);
}

/* Text and embedding columns are computed on by calcers of their own, whatever split uses them. */
static ftl_status refuse_estimated(const ftl_cbm_file *file, const ftl_cbm *cbm, ftl_error *error)
{
    if (ftl_fb_items(&file->trees, TREES_ESTIMATED, 4).count == 0)
        return ftl_fb_status(&file->buffer, what, error);
    for (uint32_t i = 0; i < cbm->n_columns; i++) {
        const char *kind = cbm->columns[i].kind == FTL_CBM_TEXT        ? "text"
                           : cbm->columns[i].kind == FTL_CBM_EMBEDDING ? "embedding"
                                                                       : NULL;
        if (kind)
            return FTL_FAIL(error, FTL_UNSUPPORTED,
                            "the CatBoost model uses %s features (column %u, %.80s), which are "
                            "not supported; train without %s_features",
                            kind, i, cbm->columns[i].name, kind);
    }
    return FTL_FAIL(error, FTL_UNSUPPORTED,
                    "the CatBoost model uses text or embedding features, which are not supported");
}

/* ---- Trees ----------------------------------------------------------------------------------- */

static uint64_t count_questions(const ftl_cbm *cbm)
{
    uint64_t n = cbm->n_matches;
    for (uint32_t i = 0; i < cbm->n_floats; i++)
        n += cbm->floats[i].n_borders;
    for (uint32_t i = 0; i < cbm->n_ctrs; i++)
        n += cbm->ctr_borders[i].n;
    return n;
}

static ftl_status read_splits(ftl_arena *arena, const ftl_cbm_file *file, ftl_cbm *cbm,
                              ftl_error *error)
{
    ftl_fb_vector from = ftl_fb_items(&file->trees, TREES_SPLITS, 4);
    ftl_fb_vector sizes = ftl_fb_items(&file->trees, TREES_SIZES, 4);
    uint32_t *splits = ftl_arena_array(arena, from.count, sizeof *splits);
    uint32_t *start = ftl_arena_array(arena, (size_t)sizes.count + 1, sizeof *start);
    if (!splits || !start)
        return FTL_OOM(error);
    if (sizes.count > max_trees)
        return FTL_FAIL(error, FTL_LIMIT, "the model has %u trees", sizes.count);
    uint32_t at = 0;
    for (uint32_t t = 0; t < sizes.count; t++) {
        int32_t size = ftl_fb_i32_at(&sizes, t);
        start[t] = at;
        if (size < 0 || (uint32_t)size > from.count - at ||
            (cbm->oblivious ? size > FTL_OBLIVIOUS_MAX_DEPTH : size == 0))
            return FTL_FAIL(error, FTL_CORRUPT, "tree %u has %d splits", t, size);
        at += (uint32_t)size;
    }
    start[sizes.count] = at;
    uint64_t questions = count_questions(cbm);
    for (uint32_t i = 0; i < at; i++) {
        int32_t split = ftl_fb_i32_at(&from, i);
        /* leaves of trees that are not oblivious say 0, even where there are no questions */
        if (split < 0 || ((uint64_t)split >= questions && (cbm->oblivious || split > 0)))
            return FTL_FAIL(error, FTL_CORRUPT, "a tree asks question %d of %llu", split,
                            (unsigned long long)questions);
        splits[i] = (uint32_t)split;
    }
    cbm->n_trees = sizes.count;
    cbm->start = start;
    cbm->splits = splits;
    return ftl_fb_status(&file->buffer, what, error);
}

static ftl_status read_values(ftl_arena *arena, const ftl_cbm_file *file, ftl_cbm *cbm,
                              ftl_error *error)
{
    ftl_fb_vector from = ftl_fb_items(&file->trees, TREES_LEAF_VALUES, 8);
    double *values = ftl_arena_array(arena, from.count, sizeof *values);
    if (!values)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < from.count; i++)
        values[i] = ftl_le_f64(from.data + 8 * (size_t)i);
    uint64_t needed = 0;
    for (uint32_t t = 0; cbm->oblivious && t < cbm->n_trees; t++)
        needed += (uint64_t)cbm->width << (cbm->start[t + 1] - cbm->start[t]);
    if (needed > from.count)
        return FTL_FAIL(error, FTL_CORRUPT, "the trees have %u leaf values where %llu are needed",
                        from.count, (unsigned long long)needed);
    cbm->n_values = cbm->oblivious ? needed : from.count;
    cbm->values = values;
    return FTL_OK;
}

static ftl_status read_steps(ftl_arena *arena, const ftl_cbm_file *file, ftl_cbm *cbm,
                             ftl_error *error)
{
    ftl_fb_vector from = ftl_fb_items(&file->trees, TREES_STEPS, 4);
    ftl_fb_vector ids = ftl_fb_items(&file->trees, TREES_LEAF_IDS, 4);
    uint32_t n = cbm->start[cbm->n_trees];
    uint16_t(*steps)[2] = ftl_arena_array(arena, n, sizeof *steps);
    uint32_t *leaves = ftl_arena_array(arena, n, sizeof *leaves);
    if (!steps || !leaves)
        return FTL_OOM(error);
    if (from.count < n || ids.count < n)
        return FTL_FAIL(error, FTL_CORRUPT, "the trees have %u nodes, but steps for %u", n,
                        from.count < ids.count ? from.count : ids.count);
    for (uint32_t i = 0; i < n; i++) {
        steps[i][0] = ftl_le_u16(from.data + 4 * (size_t)i);
        steps[i][1] = ftl_le_u16(from.data + 4 * (size_t)i + 2);
        leaves[i] = (uint32_t)ftl_fb_i32_at(&ids, i);
        bool ends = steps[i][0] == 0 || steps[i][1] == 0;
        if (ends && (leaves[i] % cbm->width || cbm->n_values < cbm->width ||
                     leaves[i] > cbm->n_values - cbm->width))
            return FTL_FAIL(error, FTL_CORRUPT, "a leaf has its values at %u of %llu", leaves[i],
                            (unsigned long long)cbm->n_values);
    }
    cbm->steps = (const uint16_t(*)[2])steps;
    cbm->leaves = leaves;
    return FTL_OK;
}

static ftl_status read_bias(ftl_arena *arena, const ftl_cbm_file *file, ftl_cbm *cbm,
                            ftl_error *error)
{
    ftl_fb_vector several = ftl_fb_items(&file->trees, TREES_BIASES, 8);
    double one = ftl_fb_f64(&file->trees, TREES_BIAS, 0), *bias;
    cbm->scale = ftl_fb_f64(&file->trees, TREES_SCALE, 1);
    if (several.count && several.count != cbm->width)
        return FTL_FAIL(error, FTL_CORRUPT, "there are %u biases for %u outputs", several.count,
                        cbm->width);
    bias = ftl_arena_array(arena, cbm->width, sizeof *bias);
    if (!bias)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < cbm->width; k++) {
        bias[k] = several.count ? ftl_le_f64(several.data + 8 * (size_t)k) : one;
        if (!isfinite(bias[k]) || !isfinite(cbm->scale))
            return FTL_FAIL(error, FTL_CORRUPT, "the scale or bias is not finite");
    }
    cbm->bias = bias;
    return ftl_fb_status(&file->buffer, what, error);
}

ftl_status ftl_cbm_read(ftl_arena *arena, const char *bytes, size_t size, ftl_cbm *out,
                        ftl_error *error)
{
    ftl_cbm_file file;
    ftl_cbm cbm = {0};
    FTL_TRY(ftl_cbm_open(bytes, size, &file, error));
    int32_t width = ftl_fb_i32(&file.trees, TREES_DIMENSION, 0);
    if (width < 1 || width > max_width)
        return FTL_FAIL(error, FTL_CORRUPT, "the trees have %d outputs", width);
    cbm.width = (uint32_t)width;
    cbm.oblivious = ftl_fb_items(&file.trees, TREES_STEPS, 4).count == 0;
    FTL_TRY(read_columns(arena, &file, &cbm.n_columns, &cbm.columns, error));
    FTL_TRY(refuse_estimated(&file, &cbm, error));
    FTL_TRY(read_floats(arena, &file, &cbm, error));
    FTL_TRY(read_categories(arena, &file, &cbm, error));
    FTL_TRY(read_matches(arena, &file, &cbm, error));
    FTL_TRY(ftl_cbm_read_ctrs(arena, &file, &cbm, error));
    FTL_TRY(read_splits(arena, &file, &cbm, error));
    FTL_TRY(read_values(arena, &file, &cbm, error));
    if (!cbm.oblivious)
        FTL_TRY(read_steps(arena, &file, &cbm, error));
    FTL_TRY(read_bias(arena, &file, &cbm, error));
    *out = cbm;
    return FTL_OK;
}
