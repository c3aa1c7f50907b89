/*
 * Target statistics of a CatBoost model. A feature of the model (TModelCtr) names a base: a
 * projection (categories, comparisons, matches) and a kind; a table of the second part holds, for
 * the same base, what was counted in training for every key of the projection. Value and count make
 * a float32, once per key, exactly as the library computes it per row:
 *     ((count + prior) / (total + prior's weight) + shift) * scale
 */
#include "formats/catboost_core.h"

#include "base/checked.h"
#include "base/cityhash.h"

#include <stdlib.h>
#include <string.h>

static const char what[] = "the CatBoost model";
static const char part_name[] = "static_provider_v1";

enum { BASE_PROJECTION, BASE_KIND, BASE_CLASSIFIER, BASE_KNOWN };
enum { CTR_BASE, CTR_TARGET_BORDER, CTR_PRIOR, CTR_PRIOR_WEIGHT, CTR_SHIFT, CTR_SCALE, CTR_KNOWN };
enum { TABLE_BASE, TABLE_INDEX, TABLE_BLOB, TABLE_DENOMINATOR, TABLE_CLASSES, TABLE_KNOWN };
enum { FEATURE_CTR, FEATURE_BORDERS, FEATURE_KNOWN };
enum { PROJECTION_CATEGORIES, PROJECTION_FLOATS, PROJECTION_MATCHES, PROJECTION_KNOWN };
typedef enum ctr_kind {
    KIND_BORDERS,
    KIND_BUCKETS,
    KIND_BINARIZED_MEAN,
    KIND_FLOAT_MEAN,
    KIND_COUNTER,
    KIND_FREQUENCY,
    KIND_COUNT
} ctr_kind;

enum { bucket_bytes = 12, max_statistics = 1 << 20 };
/* Statistics made per byte of the file, so that features which share tables cannot unfold. */
enum { unfold_ratio = 16, unfold_floor = 1 << 16 };

/* A table of the file; count and blob are where the file has them. */
typedef struct table {
    uint64_t base; /* digest of its base */
    uint32_t at;   /* its place in the file, and in the operation */
    ctr_kind kind;
    ftl_flatbuf buffer;
    ftl_fb_vector blob;
    int32_t denominator;
    uint32_t classes;
    uint32_t n_values;
} table;

typedef struct ctr_reader {
    ftl_arena *arena;
    const ftl_cbm_file *file;
    ftl_cbm *cbm;
    table *tables; /* sorted by base */
    uint32_t n_tables;
    ftl_ctr_table *made;
    ftl_ctr_projection *projections;
    uint32_t n_projections;
    uint64_t last_projection; /* digest of the newest one */
    ftl_ctr_feature *features;
    uint64_t room; /* values that may still be made */
} ctr_reader;

/* ---- Bases ----------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t digest, const void *data, size_t size)
{
    uint64_t words[3] = {digest, size, ftl_cityhash64(data, size)};
    return ftl_cityhash64((const char *)words, sizeof words);
}

/*
 * Equal bases have equal digests. Should two different bases of a file have the same one, a feature
 * would read the wrong table, whose indices are checked as those of the right one.
 */
static uint64_t projection_digest(const ftl_fb_table *projection)
{
    static const uint32_t item_sizes[] = {4, 8, 8};
    uint64_t digest = 0;
    for (uint32_t field = PROJECTION_CATEGORIES; field <= PROJECTION_MATCHES; field++) {
        ftl_fb_vector items = ftl_fb_items(projection, field, item_sizes[field]);
        digest = mix(digest, items.data ? (const char *)items.data : "",
                     (size_t)items.count * item_sizes[field]);
    }
    return digest;
}

static uint64_t base_digest(const ftl_fb_table *base, ctr_kind kind)
{
    ftl_fb_table projection = ftl_fb_child(base, BASE_PROJECTION);
    int32_t rest[2] = {(int32_t)kind, ftl_fb_i32(base, BASE_CLASSIFIER, 0)};
    return mix(projection_digest(&projection), rest, sizeof rest);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static ftl_status take_size(const uint8_t **at, size_t *left, uint64_t *out, ftl_error *error)
{
    size_t bytes = *left >= 4 && ftl_le_u32(*at) == UINT32_MAX ? 12 : 4;
    if (*left < bytes)
        return FTL_FAIL(error, FTL_CORRUPT, "%s is cut off in its tables", what);
    *out = bytes == 4 ? ftl_le_u32(*at) : ftl_le_u64(*at + 4);
    *at += bytes;
    *left -= bytes;
    return FTL_OK;
}

/* Numbers per key in the blob. */
static uint32_t numbers_per_key(const table *t)
{
    switch (t->kind) {
    case KIND_BORDERS:
    case KIND_BUCKETS:
        return t->classes;
    case KIND_BINARIZED_MEAN:
    case KIND_FLOAT_MEAN:
        return 2; /* a float32 sum and a count */
    default:
        return 1;
    }
}

static ftl_status read_buckets(ctr_reader *r, const table *t, const ftl_fb_vector *index,
                               ftl_ctr_table *out, ftl_error *error)
{
    uint32_t n = index->count / bucket_bytes, n_empty = 0;
    uint64_t *keys = ftl_arena_array(r->arena, n, sizeof *keys);
    uint32_t *values = ftl_arena_array(r->arena, n, sizeof *values);
    if (!keys || !values)
        return FTL_OOM(error);
    if (n == 0 || (n & (n - 1)) || index->count % bucket_bytes)
        return FTL_FAIL(error, FTL_CORRUPT, "table %u of the target statistics has %u buckets",
                        t->at, n);
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = ftl_le_u64(index->data + (size_t)i * bucket_bytes);
        values[i] = ftl_le_u32(index->data + (size_t)i * bucket_bytes + 8);
        if (keys[i] == FTL_CTR_EMPTY) {
            values[i] = 0;
            n_empty++;
        } else if (values[i] >= t->n_values) {
            return FTL_FAIL(error, FTL_CORRUPT,
                            "table %u of the target statistics refers to entry %u of %u", t->at,
                            values[i], t->n_values);
        }
    }
    if (n_empty == 0)
        return FTL_FAIL(error, FTL_CORRUPT, "table %u of the target statistics is full", t->at);
    *out = (ftl_ctr_table){.n_buckets = n,
                           .n_values = t->n_values,
                           FTL_SIZED(keys, keys, n),
                           FTL_SIZED(values, values, n)};
    return FTL_OK;
}

static ftl_status read_table(ctr_reader *r, const uint8_t *data, size_t size, table *t,
                             ftl_ctr_table *out, ftl_error *error)
{
    ftl_fb_init(&t->buffer, data, size);
    ftl_fb_table root = ftl_fb_root(&t->buffer), base = ftl_fb_child(&root, TABLE_BASE);
    uint8_t kind = ftl_fb_u8(&base, BASE_KIND, KIND_BORDERS);
    ftl_fb_vector index = ftl_fb_items(&root, TABLE_INDEX, 1);
    int32_t classes = ftl_fb_i32(&root, TABLE_CLASSES, 0);
    ftl_fb_expect(&root, TABLE_KNOWN, "a table of target statistics");
    ftl_fb_expect(&base, BASE_KNOWN, "a kind of target statistics");
    t->blob = ftl_fb_items(&root, TABLE_BLOB, 1);
    t->denominator = ftl_fb_i32(&root, TABLE_DENOMINATOR, 0);
    t->kind = (ctr_kind)kind;
    t->base = base_digest(&base, t->kind);
    FTL_TRY(ftl_fb_status(&t->buffer, what, error));
    if (kind >= KIND_COUNT)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "the CatBoost model has target statistics of the unknown kind %u", kind);
    bool counts_classes = t->kind == KIND_BORDERS || t->kind == KIND_BUCKETS;
    if (counts_classes && (classes < 1 || classes > 1 << 16))
        return FTL_FAIL(error, FTL_CORRUPT, "table %u of the target statistics has %d classes",
                        t->at, classes);
    t->classes = counts_classes ? (uint32_t)classes : 0;
    t->n_values = t->blob.count / (4 * numbers_per_key(t));
    return read_buckets(r, t, &index, out, error);
}

static int by_base(const void *a, const void *b)
{
    uint64_t x = ((const table *)a)->base, y = ((const table *)b)->base;
    return (x > y) - (x < y);
}

static const table *find_table(const ctr_reader *r, uint64_t base)
{
    table key = {.base = base};
    return r->n_tables ? bsearch(&key, r->tables, r->n_tables, sizeof *r->tables, by_base) : NULL;
}

/* The part must be the first one: the others hold what was refused before. */
static ftl_status check_part(const ftl_cbm_file *file, ftl_error *error)
{
    ftl_fb_vector parts = ftl_fb_items(&file->core, CORE_PARTS, 4);
    ftl_fb_text name = {"", 0};
    if (parts.count)
        name = ftl_fb_string_at(&parts, 0);
    FTL_TRY(ftl_fb_status(&file->buffer, what, error));
    if (name.size == sizeof part_name - 1 && memcmp(name.text, part_name, name.size) == 0)
        return FTL_OK;
    return FTL_FAIL(error, parts.count ? FTL_UNSUPPORTED : FTL_CORRUPT,
                    "the CatBoost model has no tables for its target statistics");
}

static ftl_status read_tables(ctr_reader *r, ftl_error *error)
{
    const uint8_t *at = r->file->rest;
    size_t left = r->file->rest_size;
    uint64_t n;
    FTL_TRY(check_part(r->file, error));
    FTL_TRY(take_size(&at, &left, &n, error));
    if (n > left / 4)
        return FTL_FAIL(error, FTL_CORRUPT, "%s is cut off in its tables", what);
    r->tables = ftl_arena_zero_array(r->arena, n, sizeof *r->tables);
    r->made = ftl_arena_zero_array(r->arena, n, sizeof *r->made);
    if (!r->tables || !r->made)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t size;
        FTL_TRY(take_size(&at, &left, &size, error));
        if (size > left)
            return FTL_FAIL(error, FTL_CORRUPT, "%s is cut off in its tables", what);
        r->tables[i].at = i;
        FTL_TRY(read_table(r, at, (size_t)size, &r->tables[i], &r->made[i], error));
        at += size;
        left -= (size_t)size;
    }
    r->n_tables = (uint32_t)n;
    if (n)
        qsort(r->tables, n, sizeof *r->tables, by_base);
    return FTL_OK;
}

/* ---- Projections ----------------------------------------------------------------------------- */

static ftl_status no_such_column(ftl_error *error)
{
    return FTL_FAIL(error, FTL_CORRUPT,
                    "target statistics are of a column that the model does not have");
}

static ftl_status read_hashes(ctr_reader *r, const ftl_fb_table *from, ftl_ctr_projection *out,
                              ftl_error *error)
{
    ftl_fb_vector items = ftl_fb_items(from, PROJECTION_CATEGORIES, 4);
    uint32_t *columns = ftl_arena_array(r->arena, items.count, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < items.count; i++) {
        uint32_t category;
        if (!ftl_cbm_find_category(r->cbm, ftl_fb_i32_at(&items, i), &category))
            return no_such_column(error);
        columns[i] = r->cbm->n_floats + category;
    }
    out->n_hashes = items.count;
    out->hashes = columns;
    out->hashes_count = items.count;
    return FTL_OK;
}

static ftl_status read_above(ctr_reader *r, const ftl_fb_table *from, ftl_ctr_projection *out,
                             ftl_error *error)
{
    ftl_fb_vector items = ftl_fb_items(from, PROJECTION_FLOATS, 8);
    ftl_ctr_above *above = ftl_arena_array(r->arena, items.count, sizeof *above);
    if (!above)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < items.count; i++) {
        const uint8_t *item = items.data + 8 * (size_t)i;
        uint32_t column;
        if (!ftl_cbm_find_float(r->cbm, (int32_t)ftl_le_u32(item), &column))
            return no_such_column(error);
        above[i] = (ftl_ctr_above){column, ftl_le_f32(item + 4), r->cbm->floats[column].nan_above};
    }
    out->n_above = items.count;
    out->above = above;
    out->above_count = items.count;
    return FTL_OK;
}

static ftl_status read_equal(ctr_reader *r, const ftl_fb_table *from, ftl_ctr_projection *out,
                             ftl_error *error)
{
    ftl_fb_vector items = ftl_fb_items(from, PROJECTION_MATCHES, 8);
    ftl_ctr_equal *equal = ftl_arena_array(r->arena, items.count, sizeof *equal);
    if (!equal)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < items.count; i++) {
        const uint8_t *item = items.data + 8 * (size_t)i;
        uint32_t category;
        if (!ftl_cbm_find_category(r->cbm, (int32_t)ftl_le_u32(item), &category))
            return no_such_column(error);
        equal[i] = (ftl_ctr_equal){r->cbm->n_floats + category, ftl_le_u32(item + 4)};
    }
    out->n_equal = items.count;
    out->equal = equal;
    out->equal_count = items.count;
    return FTL_OK;
}

/* Features come sorted by projection: a new one only where it changes. */
static ftl_status read_projection(ctr_reader *r, const ftl_fb_table *base, uint32_t *out,
                                  ftl_error *error)
{
    ftl_fb_table from = ftl_fb_child(base, BASE_PROJECTION);
    ftl_fb_expect(&from, PROJECTION_KNOWN, "a combination of features");
    uint64_t digest = projection_digest(&from);
    if (r->n_projections == 0 || digest != r->last_projection) {
        ftl_ctr_projection *made = &r->projections[r->n_projections];
        FTL_TRY(read_hashes(r, &from, made, error));
        FTL_TRY(read_above(r, &from, made, error));
        FTL_TRY(read_equal(r, &from, made, error));
        FTL_TRY(ftl_fb_status(&r->file->buffer, what, error));
        r->last_projection = digest;
        r->n_projections++;
    }
    *out = r->n_projections - 1;
    return FTL_OK;
}

/* ---- Features -------------------------------------------------------------------------------- */

typedef struct formula {
    float prior, weight, shift, scale;
} formula;

/* Each step rounds to float32, counts too. */
static float statistic(const formula *f, float count, float total)
{
    float ratio = (count + f->prior) / (total + f->weight);
    return (ratio + f->shift) * f->scale;
}

static int32_t number_at(const table *t, uint64_t i)
{
    return (int32_t)ftl_le_u32(t->blob.data + 4 * i);
}

/* Counts of classes: those above the border against all, or one class against all. */
static float class_statistic(const table *t, const formula *f, uint32_t key, uint32_t border)
{
    uint64_t first = (uint64_t)key * t->classes;
    uint32_t good = 0, total = 0; /* the library's sums are of ints; hostile ones wrap */
    for (uint32_t c = 0; c < t->classes; c++) {
        uint32_t count = (uint32_t)number_at(t, first + c);
        total += count;
        if (t->kind == KIND_BUCKETS ? c == border : c > border)
            good += count;
    }
    return statistic(f, (float)(int32_t)good, (float)(int32_t)total);
}

static void fill_values(const table *t, const formula *f, uint32_t border, float *values)
{
    for (uint32_t i = 0; i < t->n_values; i++) {
        switch (t->kind) {
        case KIND_BORDERS:
        case KIND_BUCKETS:
            values[i] = class_statistic(t, f, i, border);
            break;
        case KIND_BINARIZED_MEAN:
        case KIND_FLOAT_MEAN:
            values[i] = statistic(f, ftl_le_f32(t->blob.data + 8 * (size_t)i),
                                  (float)number_at(t, 2 * (uint64_t)i + 1));
            break;
        default:
            values[i] = statistic(f, (float)number_at(t, i), (float)t->denominator);
        }
    }
}

/* The classes' border of a table of two classes is 0 whatever the feature says. */
static ftl_status border_of(const table *t, const ftl_fb_table *ctr, uint32_t *out,
                            ftl_error *error)
{
    int32_t border = ftl_fb_i32(ctr, CTR_TARGET_BORDER, 0);
    if (t->kind != KIND_BORDERS && t->kind != KIND_BUCKETS)
        border = 0;
    else if (t->kind == KIND_BORDERS && t->classes <= 2)
        border = 0;
    else if (border < 0 || (uint32_t)border >= t->classes)
        return FTL_FAIL(error, FTL_CORRUPT, "target statistics are of class %d of %u", border,
                        t->classes);
    if (t->kind == KIND_BORDERS && t->classes < 2)
        return FTL_FAIL(error, FTL_CORRUPT, "target statistics are of a single class");
    *out = (uint32_t)border;
    return FTL_OK;
}

static ftl_status read_feature(ctr_reader *r, const ftl_fb_table *ctr, ftl_ctr_feature *out,
                               ftl_error *error)
{
    ftl_fb_table base = ftl_fb_child(ctr, CTR_BASE);
    ftl_fb_expect(ctr, CTR_KNOWN, "a target statistic");
    ftl_fb_expect(&base, BASE_KNOWN, "a kind of target statistics");
    ctr_kind kind = (ctr_kind)ftl_fb_u8(&base, BASE_KIND, KIND_BORDERS);
    const table *t = find_table(r, base_digest(&base, kind));
    const formula f = {ftl_fb_f32(ctr, CTR_PRIOR, 0), ftl_fb_f32(ctr, CTR_PRIOR_WEIGHT, 1),
                       ftl_fb_f32(ctr, CTR_SHIFT, 0), ftl_fb_f32(ctr, CTR_SCALE, 1)};
    uint32_t projection, border;
    FTL_TRY(read_projection(r, &base, &projection, error));
    if (!t)
        return FTL_FAIL(error, FTL_CORRUPT, "a table of the target statistics is missing");
    FTL_TRY(border_of(t, ctr, &border, error));
    if (t->n_values > r->room)
        return FTL_FAIL(error, FTL_LIMIT, "the target statistics unfold to far more than the file");
    r->room -= t->n_values;
    float *values = ftl_arena_array(r->arena, t->n_values, sizeof *values);
    if (!values)
        return FTL_OOM(error);
    fill_values(t, &f, border, values);
    bool frequency = t->kind == KIND_COUNTER || t->kind == KIND_FREQUENCY;
    *out = (ftl_ctr_feature){.projection = projection,
                             .table = t->at,
                             FTL_SIZED(values, values, t->n_values),
                             .unknown = statistic(&f, 0, frequency ? (float)t->denominator : 0)};
    return FTL_OK;
}

static ftl_status make_room(ctr_reader *r, uint32_t n, ftl_cbm_borders **borders, ftl_error *error)
{
    if (n > max_statistics)
        return FTL_FAIL(error, FTL_LIMIT, "the model has %u target statistics", n);
    r->projections = ftl_arena_zero_array(r->arena, n, sizeof *r->projections);
    r->features = ftl_arena_array(r->arena, n, sizeof *r->features);
    *borders = ftl_arena_array(r->arena, n, sizeof **borders);
    r->room = (uint64_t)r->file->rest_size * unfold_ratio + unfold_floor;
    return r->projections && r->features && *borders ? FTL_OK : FTL_OOM(error);
}

ftl_status ftl_cbm_read_ctrs(ftl_arena *arena, const ftl_cbm_file *file, ftl_cbm *cbm,
                             ftl_error *error)
{
    ctr_reader r = {.arena = arena, .file = file, .cbm = cbm};
    ftl_fb_vector list = ftl_fb_items(&file->trees, TREES_CTRS, 4);
    ftl_cbm_borders *borders = NULL;
    FTL_TRY(ftl_fb_status(&file->buffer, what, error));
    if (list.count == 0)
        return FTL_OK;
    FTL_TRY(make_room(&r, list.count, &borders, error));
    FTL_TRY(read_tables(&r, error));
    for (uint32_t i = 0; i < list.count; i++) {
        ftl_fb_table item = ftl_fb_table_at(&list, i), ctr = ftl_fb_child(&item, FEATURE_CTR);
        ftl_fb_vector from = ftl_fb_items(&item, FEATURE_BORDERS, 4);
        ftl_fb_expect(&item, FEATURE_KNOWN, "a feature of target statistics");
        borders[i].n = from.count;
        FTL_TRY(read_feature(&r, &ctr, &r.features[i], error));
        FTL_TRY(ftl_cbm_borders_of(arena, &from, &borders[i].borders, error));
        FTL_TRY(ftl_fb_status(&file->buffer, what, error));
    }
    cbm->n_ctrs = list.count;
    cbm->ctr_borders = borders;
    cbm->ctr = (ftl_ctr_op){.n_projections = r.n_projections,
                            .n_tables = r.n_tables,
                            FTL_SIZED(projections, r.projections, r.n_projections),
                            FTL_SIZED(tables, r.made, r.n_tables),
                            FTL_SIZED(features, r.features, list.count)};
    return FTL_OK;
}
