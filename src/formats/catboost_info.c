/*
 * What a CatBoost model says about its training: pairs of texts in the core, some of them JSON. The
 * rules by which classes are found are TFullModel::GetModelClassLabels' and
 * TExternalLabelsHelper's.
 */
#include "formats/catboost_core.h"

#include "base/number.h"
#include "io/json.h"

#include <math.h>
#include <string.h>

enum { max_classes = 1 << 16 };
static const char what[] = "the CatBoost model";

typedef struct info_reader {
    ftl_arena *arena;
    const ftl_cbm_file *file;
    ftl_cbm_info *info;
    ftl_cell *names; /* class_names */
    uint32_t n_names;
    int64_t n_classes; /* classes_count */
    double *to_label;  /* class_to_label */
    uint32_t n_to_label;
    bool has_classes; /* some of it was there */
    bool floats;      /* class_label_type: JSON has whole ones without a point */
} info_reader;

/* The text of a key; false: it is absent. */
static bool find_text(const ftl_cbm_file *file, const char *key, ftl_fb_text *out)
{
    ftl_fb_vector pairs = ftl_fb_items(&file->core, CORE_INFO, 4);
    size_t size = strlen(key);
    for (uint32_t i = 0; i < pairs.count; i++) {
        ftl_fb_table pair = ftl_fb_table_at(&pairs, i);
        ftl_fb_text name = ftl_fb_string(&pair, PAIR_KEY);
        if (name.size == size && memcmp(name.text, key, size) == 0) {
            *out = ftl_fb_string(&pair, PAIR_VALUE);
            return file->buffer.failed == NULL;
        }
    }
    return false;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

typedef ftl_status member_fn(info_reader *r, ftl_json *json, ftl_error *error);
typedef struct member {
    const char *name;
    member_fn *read; /* the value is the next token */
} member;

/* Each member of the object that comes next goes to its reader; others are skipped. */
static ftl_status read_object(info_reader *r, ftl_json *json, const member *members, size_t n,
                              ftl_error *error)
{
    ftl_json_token token;
    FTL_TRY(ftl_json_next(json, &token, error));
    if (token != FTL_JSON_OBJECT)
        return ftl_json_skip(json, error);
    for (;;) {
        FTL_TRY(ftl_json_next(json, &token, error));
        if (token != FTL_JSON_KEY)
            return FTL_OK;
        size_t i = 0;
        while (i < n && !ftl_json_is(json, members[i].name))
            i++;
        if (i < n) {
            FTL_TRY(members[i].read(r, json, error));
        } else {
            FTL_TRY(ftl_json_next(json, &token, error));
            FTL_TRY(ftl_json_skip(json, error));
        }
    }
}

static ftl_status read_text(info_reader *r, ftl_fb_text text, const member *members, size_t n,
                            ftl_error *error)
{
    ftl_json json;
    ftl_json_init(&json, text.text, text.size, FTL_JSON_NONFINITE);
    return read_object(r, &json, members, n, error);
}

static ftl_status read_label(info_reader *r, const ftl_json *json, ftl_json_token token,
                             ftl_cell *out, ftl_error *error)
{
    int64_t whole;
    double number;
    const char *text;
    size_t size;
    switch (token) {
    case FTL_JSON_STRING:
        FTL_TRY(ftl_json_copy(json, r->arena, &text, &size, error));
        *out = (ftl_cell){.tag = FTL_CELL_STRING, .size = (uint32_t)size, .u.text = text};
        return FTL_OK;
    case FTL_JSON_TRUE:
    case FTL_JSON_FALSE:
        *out = (ftl_cell){.tag = FTL_CELL_BOOL, .u.integer = token == FTL_JSON_TRUE};
        return FTL_OK;
    case FTL_JSON_NUMBER:
        if (ftl_json_i64(json, &whole, NULL) == FTL_OK) {
            *out = (ftl_cell){.tag = FTL_CELL_INT, .u.integer = whole};
            return FTL_OK;
        }
        FTL_TRY(ftl_json_f64(json, &number, error));
        *out = (ftl_cell){.tag = FTL_CELL_FLOAT, .u.number = number};
        return FTL_OK;
    default:
        return FTL_FAIL(error, FTL_CORRUPT, "a class is neither a text nor a number");
    }
}

/* The next array's scalars; none for anything that is no array. */
static ftl_status read_labels(info_reader *r, ftl_json *json, ftl_cell **out, uint32_t *n,
                              ftl_error *error)
{
    ftl_json_token token;
    ftl_json start;
    FTL_TRY(ftl_json_next(json, &token, error));
    if (token != FTL_JSON_ARRAY)
        return ftl_json_skip(json, error);
    start = *json;
    uint32_t count = 0;
    FTL_TRY(ftl_json_next(json, &token, error));
    while (token != FTL_JSON_ARRAY_END) {
        FTL_TRY(ftl_json_skip(json, error));
        if (++count > max_classes)
            return FTL_FAIL(error, FTL_LIMIT, "there are more than %d classes", (int)max_classes);
        FTL_TRY(ftl_json_next(json, &token, error));
    }
    ftl_cell *cells = ftl_arena_array(r->arena, count, sizeof *cells);
    if (!cells)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < count; i++) {
        FTL_TRY(ftl_json_next(&start, &token, error));
        FTL_TRY(read_label(r, &start, token, &cells[i], error));
    }
    *out = cells;
    *n = count;
    return FTL_OK;
}

static ftl_status read_class_names(info_reader *r, ftl_json *json, ftl_error *error)
{
    return read_labels(r, json, &r->names, &r->n_names, error);
}

static ftl_status read_classes_count(info_reader *r, ftl_json *json, ftl_error *error)
{
    ftl_json_token token;
    FTL_TRY(ftl_json_next(json, &token, error));
    if (token != FTL_JSON_NUMBER)
        return ftl_json_skip(json, error);
    FTL_TRY(ftl_json_i64(json, &r->n_classes, error));
    if (r->n_classes < 0 || r->n_classes > max_classes)
        return FTL_FAIL(error, FTL_CORRUPT, "there are %lld classes", (long long)r->n_classes);
    return FTL_OK;
}

static ftl_status read_class_to_label(info_reader *r, ftl_json *json, ftl_error *error)
{
    ftl_cell *cells = NULL;
    FTL_TRY(read_labels(r, json, &cells, &r->n_to_label, error));
    r->to_label = ftl_arena_array(r->arena, r->n_to_label, sizeof *r->to_label);
    if (!r->to_label)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < r->n_to_label; i++)
        r->to_label[i] = cells[i].tag == FTL_CELL_INT     ? (double)cells[i].u.integer
                         : cells[i].tag == FTL_CELL_FLOAT ? cells[i].u.number
                                                          : NAN;
    return FTL_OK;
}

static ftl_status read_label_type(info_reader *r, ftl_json *json, ftl_error *error)
{
    ftl_json_token token;
    FTL_TRY(ftl_json_next(json, &token, error));
    r->floats = token == FTL_JSON_STRING && ftl_json_is(json, "Float");
    return ftl_json_skip(json, error);
}

static ftl_status read_loss_type(info_reader *r, ftl_json *json, ftl_error *error)
{
    ftl_json_token token;
    FTL_TRY(ftl_json_next(json, &token, error));
    if (token != FTL_JSON_STRING)
        return ftl_json_skip(json, error);
    return ftl_json_copy(json, r->arena, &r->info->loss, NULL, error);
}

static const member loss_members[] = {{"type", read_loss_type}};
static ftl_status read_loss(info_reader *r, ftl_json *json, ftl_error *error)
{
    return read_object(r, json, loss_members, FTL_ARRAY_LEN(loss_members), error);
}

static const member data_members[] = {{"class_names", read_class_names}};
static ftl_status read_data(info_reader *r, ftl_json *json, ftl_error *error)
{
    if (r->has_classes) {
        ftl_json_token token;
        FTL_TRY(ftl_json_next(json, &token, error));
        return ftl_json_skip(json, error);
    }
    return read_object(r, json, data_members, FTL_ARRAY_LEN(data_members), error);
}

static const member class_members[] = {{"class_names", read_class_names},
                                       {"classes_count", read_classes_count},
                                       {"class_to_label", read_class_to_label},
                                       {"class_label_type", read_label_type}};
static const member params_members[] = {{"loss_function", read_loss},
                                        {"data_processing_options", read_data}};

/* ---- Classes --------------------------------------------------------------------------------- */

bool ftl_cbm_is_classification(const char *loss)
{
    static const char *const losses[] = {
        "Logloss",      "CrossEntropy",      "Focal", "MultiClass", "MultiClassOneVsAll",
        "MultiLogloss", "MultiCrossEntropy",
    };
    for (size_t i = 0; i < FTL_ARRAY_LEN(losses); i++) {
        if (strcmp(loss, losses[i]) == 0)
            return true;
    }
    return false;
}

static ftl_type type_of_labels(const ftl_cell *cells, uint32_t n)
{
    uint32_t kinds[FTL_CELL_BOOL + 1] = {0};
    for (uint32_t i = 0; i < n; i++)
        kinds[cells[i].tag]++;
    return kinds[FTL_CELL_STRING]                              ? FTL_STRING
           : kinds[FTL_CELL_FLOAT]                             ? FTL_F64
           : kinds[FTL_CELL_BOOL] && kinds[FTL_CELL_BOOL] == n ? FTL_BOOL
                                                               : FTL_I64;
}

/* One type for all: texts with numbers among them are no labels. */
static ftl_status unify(ftl_cell *cells, uint32_t n, ftl_type type, ftl_error *error)
{
    for (uint32_t i = 0; i < n; i++) {
        bool text = cells[i].tag == FTL_CELL_STRING;
        if (text != (type == FTL_STRING))
            return FTL_FAIL(error, FTL_CORRUPT, "the classes are texts and numbers");
        if (type == FTL_F64 && cells[i].tag != FTL_CELL_FLOAT)
            cells[i] = (ftl_cell){.tag = FTL_CELL_FLOAT, .u.number = (double)cells[i].u.integer};
        else if (type == FTL_I64)
            cells[i].tag = FTL_CELL_INT;
    }
    return FTL_OK;
}

/* Names, else numbers up to a count, else the numbers that training met. */
static ftl_status settle_labels(info_reader *r, ftl_error *error)
{
    ftl_cbm_info *info = r->info;
    uint32_t n = r->n_names, numbered = (uint32_t)r->n_classes;
    ftl_cell *cells = r->names;
    if (n == 0 && numbered == 0 && r->n_to_label == 0 && ftl_cbm_is_classification(info->loss))
        numbered = info->width == 1 ? 2 : info->width;
    if (n == 0) {
        n = numbered ? numbered : r->n_to_label;
        cells = ftl_arena_array(r->arena, n, sizeof *cells);
        if (!cells)
            return FTL_OOM(error);
        for (uint32_t i = 0; i < n; i++) {
            double value = numbered ? i : r->to_label[i];
            if (!(fabs(value) < 0x1p53))
                return FTL_FAIL(error, FTL_CORRUPT, "a class is no number");
            cells[i] = (ftl_cell){.tag = FTL_CELL_INT, .u.integer = (int64_t)value};
        }
    }
    info->n_labels = n;
    info->labels = cells;
    info->label_type = type_of_labels(cells, n);
    if (r->floats && info->label_type == FTL_I64 && r->n_names)
        info->label_type = FTL_F64;
    return unify(cells, n, info->label_type, error);
}

/* Trees may know fewer classes, and in another order, than were named. */
static ftl_status settle_order(info_reader *r, ftl_error *error)
{
    ftl_cbm_info *info = r->info;
    bool named = r->n_names > 0 || r->n_classes > 0;
    if (info->width == 1 || !named || r->n_to_label != info->width)
        return FTL_OK;
    uint32_t *order = ftl_arena_array(r->arena, info->width, sizeof *order);
    uint8_t *used = ftl_arena_zero_array(r->arena, info->n_labels, sizeof *used);
    if (!order || !used)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < info->width; k++) {
        double label = r->to_label[k];
        if (!(label >= 0 && label < info->n_labels) || used[(uint32_t)label])
            return FTL_FAIL(error, FTL_CORRUPT, "output %u of the trees is for no class", k);
        order[k] = (uint32_t)label;
        used[order[k]] = 1;
    }
    info->order = order;
    info->n_order = info->width;
    return FTL_OK;
}

/* ---- The rest -------------------------------------------------------------------------------- */

static ftl_status read_threshold(const ftl_cbm_file *file, ftl_cbm_info *info, ftl_error *error)
{
    ftl_fb_text text;
    double probability;
    if (!find_text(file, "binclass_probability_threshold", &text))
        return FTL_OK;
    if (!ftl_parse_f64(text.text, text.size, '.', &probability) ||
        !(probability >= 0 && probability <= 1))
        return FTL_FAIL(error, FTL_CORRUPT, "the probability threshold is no probability");
    info->threshold = -log(1 / probability - 1);
    return FTL_OK;
}

/*
 * Builds name the revision of the sources, other than some of the versions: 0.26.1 is 8489447.
 * Those of 0.25 and before are below the number.
 */
static bool is_early(ftl_fb_text text)
{
    static const char mark[] = "Last Changed Rev: ";
    const uint64_t first_of_026 = 8000000;
    const char *at = memmem(text.text, text.size, mark, sizeof mark - 1);
    size_t i = at ? (size_t)(at - text.text) + sizeof mark - 1 : text.size;
    uint64_t revision = 0;
    for (; i < text.size && text.text[i] >= '0' && text.text[i] <= '9' && revision < 1u << 30; i++)
        revision = 10 * revision + (uint64_t)(text.text[i] - '0');
    return revision > 0 && revision < first_of_026;
}

/* "Branch: tags/v1.2.10": only some builds say so. */
static ftl_status read_version(ftl_arena *arena, const ftl_cbm_file *file, ftl_cbm_info *info,
                               ftl_error *error)
{
    static const char mark[] = "tags/v";
    ftl_fb_text text;
    if (!find_text(file, "catboost_version_info", &text))
        return FTL_OK;
    const char *at = memmem(text.text, text.size, mark, sizeof mark - 1);
    if (!at) {
        info->early = is_early(text);
        info->version = info->early ? "0.25 or earlier" : info->version;
        return FTL_OK;
    }
    at += sizeof mark - 1;
    size_t left = text.size - (size_t)(at - text.text), n = 0;
    while (n < left && n < 20 && ((at[n] >= '0' && at[n] <= '9') || at[n] == '.'))
        n++;
    info->version = ftl_arena_string(arena, at, n);
    return info->version ? FTL_OK : FTL_OOM(error);
}

static ftl_status read_pairs(info_reader *r, ftl_error *error)
{
    static const char *const class_keys[] = {"class_params", "multiclass_params"};
    ftl_fb_text text;
    for (size_t i = 0; i < FTL_ARRAY_LEN(class_keys) && !r->has_classes; i++) {
        if (!find_text(r->file, class_keys[i], &text))
            continue;
        FTL_TRY(read_text(r, text, class_members, FTL_ARRAY_LEN(class_members), error));
        r->has_classes = r->n_names || r->n_classes || r->n_to_label;
    }
    if (find_text(r->file, "loss_function", &text))
        FTL_TRY(read_text(r, text, loss_members, FTL_ARRAY_LEN(loss_members), error));
    if (find_text(r->file, "params", &text))
        FTL_TRY(read_text(r, text, params_members, FTL_ARRAY_LEN(params_members), error));
    return FTL_OK;
}

ftl_status ftl_cbm_read_info(ftl_arena *arena, const char *bytes, size_t size, ftl_cbm_info *out,
                             ftl_error *error)
{
    ftl_cbm_file file;
    ftl_cbm_info info = {.version = "", .loss = ""};
    info_reader r = {.arena = arena, .file = &file, .info = &info};
    FTL_TRY(ftl_cbm_open(bytes, size, &file, error));
    int32_t width = ftl_fb_i32(&file.trees, TREES_DIMENSION, 0);
    if (width < 1 || width > max_classes)
        return FTL_FAIL(error, FTL_CORRUPT, "the trees have %d outputs", width);
    info.width = (uint32_t)width;
    info.n_trees = ftl_fb_items(&file.trees, TREES_SIZES, 4).count;
    info.oblivious = ftl_fb_items(&file.trees, TREES_STEPS, 4).count == 0;
    FTL_TRY(read_pairs(&r, error));
    FTL_TRY(settle_labels(&r, error));
    FTL_TRY(settle_order(&r, error));
    FTL_TRY(read_threshold(&file, &info, error));
    FTL_TRY(read_version(arena, &file, &info, error));
    FTL_TRY(ftl_fb_status(&file.buffer, what, error));
    *out = info;
    return FTL_OK;
}
