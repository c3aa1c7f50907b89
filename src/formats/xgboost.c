/*
 * The tree of values (JSON or UBJSON) → ftl_xgb_model. Members that nothing needs are known by name
 * and left out; others, of versions to come, may change the answer and are refused.
 */
#include "formats/xgboost.h"

#include "base/number.h"
#include "formats/xgboost_binary.h"
#include "formats/xgboost_source.h"

#include <string.h>

typedef ftl_status member_fn(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error);
typedef struct member {
    const char *name;
    member_fn *read; /* of the value that comes next; NULL: predicting does not need it */
} member;

/* The member that was read last is known to nobody. what: whose it is. */
static ftl_status unknown_member(ftl_xgb_source *source, const char *what, ftl_error *error)
{
    const char *name = source->ubj ? source->text : source->json.text;
    size_t size = source->ubj ? source->text_size : source->json.text_size;
    return FTL_FAIL_AT(error, FTL_UNSUPPORTED, source->ubj ? source->at : source->json.at,
                       "%s of the XGBoost model has the field '%.*s', which is not known and may "
                       "change what is predicted; it was written by a newer XGBoost, or by another "
                       "program",
                       what, (int)(size < 60 ? size : 60), name);
}

/* An object whose members go to the functions named. what: as in unknown_member; NULL: members
 * without a function are anything. */
static ftl_status read_object(ftl_xgb_source *source, ftl_xgb_model *model, const char *what,
                              const member *members, size_t n, ftl_error *error)
{
    FTL_TRY(ftl_xgb_expect(source, FTL_JSON_OBJECT, error));
    for (;;) {
        bool more = false;
        FTL_TRY(ftl_xgb_member(source, &more, error));
        if (!more)
            return FTL_OK;
        size_t i = 0;
        while (i < n && !ftl_xgb_is(source, members[i].name))
            i++;
        if (i == n && what)
            return unknown_member(source, what, error);
        FTL_TRY(i < n && members[i].read ? members[i].read(source, model, error)
                                         : ftl_xgb_skip(source, error));
    }
}
#define READ_OBJECT(source, model, what, members, error) \
    read_object((source), (model), (what), (members), FTL_ARRAY_LEN(members), (error))

/* ---- Trees ----------------------------------------------------------------------------------- */

static bool is_any_of(const ftl_xgb_source *source, const char *const *names, size_t n)
{
    size_t i = 0;
    while (i < n && !ftl_xgb_is(source, names[i]))
        i++;
    return i < n;
}

static ftl_status read_tree_param(ftl_xgb_source *source, ftl_xgb_tree *tree, ftl_error *error)
{
    static const char *const unused[] = {"num_nodes", "num_roots", "num_deleted", "num_feature",
                                         "max_depth"};
    FTL_TRY(ftl_xgb_expect(source, FTL_JSON_OBJECT, error));
    for (;;) {
        bool more = false;
        FTL_TRY(ftl_xgb_member(source, &more, error));
        if (!more)
            return FTL_OK;
        if (ftl_xgb_is(source, "size_leaf_vector"))
            FTL_TRY(ftl_xgb_int(source, &tree->leaf_vector, error));
        else if (is_any_of(source, unused, FTL_ARRAY_LEN(unused)))
            FTL_TRY(ftl_xgb_skip(source, error));
        else
            return unknown_member(source, "tree_param", error);
    }
}

static ftl_status read_tree(ftl_xgb_source *source, ftl_xgb_tree *tree, ftl_error *error)
{
    const struct {
        const char *name;
        ftl_xgb_ints *ints;
        ftl_xgb_floats *floats;
    } arrays[] = {
        {"left_children", &tree->left, NULL},
        {"right_children", &tree->right, NULL},
        {"split_indices", &tree->feature, NULL},
        {"default_left", &tree->default_left, NULL},
        {"split_conditions", NULL, &tree->condition},
        {"base_weights", NULL, &tree->base_weights},
        {"leaf_weights", NULL, &tree->leaf_weights},
        {"split_type", &tree->split_type, NULL},
        {"categories_nodes", &tree->category_nodes, NULL},
        {"categories_segments", &tree->category_segments, NULL},
        {"categories_sizes", &tree->category_sizes, NULL},
        {"categories", &tree->categories, NULL},
    };
    static const char *const unused[] = {"id", "parents", "loss_changes", "sum_hessian",
                                         "leaf_child_counts"};
    for (;;) { /* the object is open */
        bool more = false;
        size_t i = 0;
        FTL_TRY(ftl_xgb_member(source, &more, error));
        if (!more)
            return FTL_OK;
        while (i < FTL_ARRAY_LEN(arrays) && !ftl_xgb_is(source, arrays[i].name))
            i++;
        if (i < FTL_ARRAY_LEN(arrays))
            FTL_TRY(arrays[i].ints ? ftl_xgb_read_ints(source, arrays[i].ints, error)
                                   : ftl_xgb_read_floats(source, arrays[i].floats, error));
        else if (ftl_xgb_is(source, "tree_param"))
            FTL_TRY(read_tree_param(source, tree, error));
        else if (is_any_of(source, unused, FTL_ARRAY_LEN(unused)))
            FTL_TRY(ftl_xgb_skip(source, error));
        else
            return unknown_member(source, "a tree", error);
    }
}

static ftl_status read_trees(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    size_t n = 0, room = 0;
    ftl_xgb_tree *trees = NULL;
    FTL_TRY(ftl_xgb_expect(source, FTL_JSON_ARRAY, error));
    for (;;) {
        bool more = false;
        FTL_TRY(ftl_xgb_element(source, &more, error));
        if (!more)
            break;
        if (source->token != FTL_JSON_OBJECT || n >= 1u << 26)
            return ftl_xgb_broken(source, "a tree is missing", error);
        trees = ftl_xgb_one_more(source, trees, n, &room, sizeof *trees);
        if (!trees)
            return FTL_OOM(error);
        FTL_TRY(read_tree(source, &trees[n++], error));
    }
    model->trees = trees;
    model->n_trees = (uint32_t)n;
    model->has_trees = true;
    return FTL_OK;
}

/* ---- Categories that the model knows by value ------------------------------------------------ */

/* True when text[at] is not inside of a character; at its end: the last character is whole. */
static bool is_boundary(const char *text, size_t size, size_t at)
{
    if (at < size)
        return ((unsigned char)text[at] & 0xc0) != 0x80;
    size_t back = 1;
    while (back < at && back < 4 && ((unsigned char)text[at - back] & 0xc0) == 0x80)
        back++;
    unsigned char lead = at ? (unsigned char)text[at - back] : 0;
    return back == (lead >= 0xf0 ? 4u : lead >= 0xe0 ? 3u : lead >= 0xc0 ? 2u : 1u);
}

/* Texts lie one after another; offsets [count + 1]. */
static ftl_status split_texts(ftl_xgb_source *source, const ftl_xgb_ints *offsets,
                              const ftl_xgb_ints *bytes, ftl_xgb_categories *out, ftl_error *error)
{
    if (offsets->size == 0)
        return FTL_OK;
    size_t n = offsets->size - 1;
    const char **texts = ftl_arena_array(source->arena, n, sizeof *texts);
    size_t *sizes = ftl_arena_array(source->arena, n, sizeof *sizes);
    char *all = ftl_arena_array(source->arena, bytes->size, 1);
    if (!texts || !sizes || !all)
        return FTL_OOM(error);
    out->ascii = true;
    for (size_t i = 0; i < bytes->size; i++) {
        all[i] = (char)bytes->data[i];
        out->ascii &= ((unsigned char)all[i] & 0x80) == 0;
    }
    for (size_t i = 0; i < n; i++) {
        int32_t from = offsets->data[i], to = offsets->data[i + 1];
        if (from < 0 || to < from || (size_t)to > bytes->size)
            return ftl_xgb_broken(source, "the names of categories do not add up", error);
        sizes[i] = (size_t)(to - from);
        out->garbled |= !is_boundary(all, bytes->size, (size_t)to);
        texts[i] = ftl_arena_string(source->arena, all + from, sizes[i]);
        if (!texts[i])
            return FTL_OOM(error);
    }
    out->count = n;
    out->texts = texts;
    out->text_sizes = sizes;
    return FTL_OK;
}

static ftl_status read_encoding(ftl_xgb_source *source, ftl_xgb_categories *out, ftl_error *error)
{
    ftl_xgb_ints offsets = {0}, bytes = {0};
    double *values = NULL;
    int64_t *integers = NULL;
    size_t n = 0;
    bool texts = false;
    for (;;) { /* the object is open */
        bool more = false;
        FTL_TRY(ftl_xgb_member(source, &more, error));
        if (!more)
            break;
        if (ftl_xgb_is(source, "offsets")) {
            texts = true;
            FTL_TRY(ftl_xgb_read_ints(source, &offsets, error));
        } else if (ftl_xgb_is(source, "values"))
            FTL_TRY(ftl_xgb_read_integers(source, &values, &integers, &n, error));
        else if (ftl_xgb_is(source, "type")) /* of the numbers, which say it themselves */
            FTL_TRY(ftl_xgb_skip(source, error));
        else
            return unknown_member(source, "a column's categories", error);
    }
    if (!texts) {
        out->count = n;
        out->numbers = values;
        out->integers = integers;
        return FTL_OK;
    }
    int32_t *data = ftl_arena_array(source->arena, n, sizeof *data);
    if (!data)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        if (!(values[i] >= -128 && values[i] <= 255))
            return ftl_xgb_broken(source, "the name of a category is no text", error);
        data[i] = (int32_t)values[i];
    }
    bytes = (ftl_xgb_ints){data, n};
    return split_texts(source, &offsets, &bytes, out, error);
}

static ftl_status read_encodings(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    size_t n = 0, room = 0;
    ftl_xgb_categories *all = NULL;
    FTL_TRY(ftl_xgb_expect(source, FTL_JSON_ARRAY, error));
    for (;;) {
        bool more = false;
        FTL_TRY(ftl_xgb_element(source, &more, error));
        if (!more)
            break;
        if (source->token != FTL_JSON_OBJECT)
            return ftl_xgb_broken(source, "the categories of a column are missing", error);
        all = ftl_xgb_one_more(source, all, n, &room, sizeof *all);
        if (!all)
            return FTL_OOM(error);
        FTL_TRY(read_encoding(source, &all[n++], error));
    }
    model->categories = all;
    model->n_categories = n;
    return FTL_OK;
}

static ftl_status read_cats(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    static const member members[] = {
        {"enc", read_encodings}, {"feature_segments", NULL}, {"sorted_idx", NULL}};
    return READ_OBJECT(source, model, "cats", members, error);
}

/* ---- The booster ----------------------------------------------------------------------------- */

static ftl_status read_parallel(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    return ftl_xgb_int(source, &model->parallel_trees, error);
}
static ftl_status read_tree_info(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    return ftl_xgb_read_ints(source, &model->tree_output, error);
}
static ftl_status read_rounds(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    return ftl_xgb_read_ints(source, &model->round_starts, error);
}
static ftl_status read_drop(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    model->booster = FTL_XGB_DART;
    return ftl_xgb_read_floats(source, &model->drop_weights, error);
}
static ftl_status read_weights(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    return ftl_xgb_read_floats(source, &model->linear, error);
}
static ftl_status read_model_param(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    static const member members[] = {{"num_parallel_tree", read_parallel},
                                     {"num_trees", NULL},
                                     {"num_roots", NULL},
                                     {"num_feature", NULL},
                                     {"size_leaf_vector", NULL}};
    return READ_OBJECT(source, model, "gbtree_model_param", members, error);
}

static ftl_status read_booster_name(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    FTL_TRY(ftl_xgb_expect(source, FTL_JSON_STRING, error));
    if (ftl_xgb_is(source, "dart"))
        model->booster = FTL_XGB_DART;
    else if (ftl_xgb_is(source, "gblinear"))
        model->booster = FTL_XGB_LINEAR;
    else if (!ftl_xgb_is(source, "gbtree"))
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "an XGBoost booster other than gbtree, dart and gblinear is not supported");
    return FTL_OK;
}

/* gbtree and gblinear: {"model": {…}, "name": …}. */
static ftl_status read_booster_model(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    static const member members[] = {
        {"trees", read_trees},
        {"tree_info", read_tree_info},
        {"gbtree_model_param", read_model_param},
        {"iteration_indptr", read_rounds},
        {"weights", read_weights},
        {"cats", read_cats},
        {"weight_drop", read_drop},
        {"tree_weights", read_drop},
        {"boosted_rounds", NULL},
        {"param", NULL},
    };
    return READ_OBJECT(source, model, "the booster", members, error);
}

/* dart: {"gbtree": {"model": …, "name": "gbtree"}, "name": "dart", "weight_drop": […]}. */
static ftl_status read_inner_booster(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    static const member members[] = {
        {"model", read_booster_model},
        {"name", NULL},
        /* of a configuration, which alone is no model */
        {"gbtree_train_param", NULL},
        {"gbtree_model_param", NULL},
        {"tree_train_param", NULL},
        {"specified_updater", NULL},
        {"updater", NULL},
    };
    return READ_OBJECT(source, model, "dart's booster", members, error);
}

static ftl_status read_booster(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    static const member members[] = {
        {"name", read_booster_name},
        {"model", read_booster_model},
        {"gbtree", read_inner_booster},
        {"weight_drop", read_drop},
        {"tree_weights", read_drop},
        /* of a configuration, which alone is no model */
        {"gbtree_train_param", NULL},
        {"gbtree_model_param", NULL},
        {"tree_train_param", NULL},
        {"specified_updater", NULL},
        {"updater", NULL},
        {"dart_train_param", NULL},
        {"gblinear_train_param", NULL},
    };
    model->has_booster = true;
    return READ_OBJECT(source, model, "the booster", members, error);
}

/* ---- The learner ----------------------------------------------------------------------------- */

/*
 * "5E-1", "[4.25E-1]", "[1E-1,2E-1]": parameters are texts.
 */
static ftl_status read_base_score(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    const char *text = NULL;
    size_t size = 0, n = 1, at = 0;
    FTL_TRY(ftl_xgb_text(source, &text, &size, error));
    if (size >= 2 && text[0] == '[' && text[size - 1] == ']') {
        text++;
        size -= 2;
    }
    for (size_t i = 0; i < size; i++)
        n += text[i] == ',';
    float *values = ftl_arena_array(source->arena, n, sizeof *values);
    if (!values)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        while (at < size && text[at] == ' ')
            at++;
        const char *comma = memchr(text + at, ',', size - at);
        size_t end = comma ? (size_t)(comma - text) : size;
        double value;
        if (!ftl_parse_f64(text + at, end - at, '.', &value))
            return ftl_xgb_broken(source, "base_score is not a number", error);
        values[i] = (float)value;
        at = end + 1;
    }
    model->base_score = (ftl_xgb_floats){values, n};
    return FTL_OK;
}
static ftl_status read_num_class(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    return ftl_xgb_int(source, &model->num_class, error);
}
static ftl_status read_num_target(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    return ftl_xgb_int(source, &model->num_target, error);
}
static ftl_status read_num_feature(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    return ftl_xgb_int(source, &model->num_feature, error);
}
static ftl_status read_learner_param(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    static const member members[] = {
        {"base_score", read_base_score}, {"num_class", read_num_class},
        {"num_target", read_num_target}, {"num_feature", read_num_feature},
        {"boost_from_average", NULL},
    };
    return READ_OBJECT(source, model, "learner_model_param", members, error);
}

static ftl_status read_objective_name(ftl_xgb_source *source, ftl_xgb_model *model,
                                      ftl_error *error)
{
    return ftl_xgb_text(source, &model->objective, NULL, error);
}
static ftl_status read_objective_classes(ftl_xgb_source *source, ftl_xgb_model *model,
                                         ftl_error *error)
{
    return ftl_xgb_int(source, &model->objective_classes, error);
}
static ftl_status read_softmax_param(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    static const member members[] = {{"num_class", read_objective_classes}};
    return READ_OBJECT(source, model, "softmax_multiclass_param", members, error);
}
static ftl_status read_objective(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    static const member members[] = {{"name", read_objective_name},
                                     {"softmax_multiclass_param", read_softmax_param},
                                     /* what training needs */
                                     {"reg_loss_param", NULL},
                                     {"aft_loss_param", NULL},
                                     {"poisson_regression_param", NULL},
                                     {"tweedie_regression_param", NULL},
                                     {"pseudo_huber_param", NULL},
                                     {"quantile_loss_param", NULL},
                                     {"expectile_loss_param", NULL},
                                     {"lambda_rank_param", NULL},
                                     {"lambdarank_param", NULL}};
    return READ_OBJECT(source, model, "the objective", members, error);
}

static ftl_status read_best(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    int32_t value = -1;
    FTL_TRY(ftl_xgb_int(source, &value, error));
    model->best_iteration = value;
    return FTL_OK;
}
static ftl_status read_attributes(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    static const member members[] = {{"best_iteration", read_best}};
    return READ_OBJECT(source, model, NULL, members, error);
}
static ftl_status read_names(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    return ftl_xgb_read_texts(source, &model->feature_names, error);
}
static ftl_status read_types(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    return ftl_xgb_read_texts(source, &model->feature_types, error);
}

static ftl_status read_learner(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    static const member members[] = {
        {"learner_model_param", read_learner_param},
        {"gradient_booster", read_booster},
        {"objective", read_objective},
        {"attributes", read_attributes},
        {"feature_names", read_names},
        {"feature_types", read_types},
        {"cats", read_cats},
        {"generic_param", NULL}, /* of a configuration */
        {"learner_train_param", NULL},
        {"metrics", NULL},
    };
    return READ_OBJECT(source, model, "the learner", members, error);
}

static ftl_status read_version(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    ftl_xgb_ints parts = {0};
    FTL_TRY(ftl_xgb_read_ints(source, &parts, error));
    int version = 0;
    for (size_t i = 0; i < 3; i++) {
        int32_t part = i < parts.size ? parts.data[i] : 0;
        version = version * 100 + (part < 0 ? 0 : part > 99 ? 99 : part);
    }
    model->version = version;
    return FTL_OK;
}

/*
 * Of a configuration only the number of trees in parallel matters, which models before 1.6 do not
 * say; it stands under several names.
 */
static ftl_status read_config(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    uint32_t depth = source->depth;
    int32_t before = model->parallel_trees;
    FTL_TRY(ftl_xgb_next(source, error));
    while (source->depth > depth) {
        FTL_TRY(ftl_xgb_next(source, error));
        if (ftl_xgb_is(source, "num_parallel_tree") && source->token == FTL_JSON_KEY)
            FTL_TRY(ftl_xgb_int(source, &model->parallel_trees, error));
    }
    if (before > 0)
        model->parallel_trees = before;
    return FTL_OK;
}

static ftl_status read_model(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    static const member members[] = {{"learner", read_learner}, {"version", read_version}};
    return READ_OBJECT(source, model, "the file", members, error);
}

static ftl_status read_whole(ftl_xgb_source *source, ftl_xgb_model *model, ftl_error *error)
{
    static const member members[] = {
        {"learner", read_learner},
        {"version", read_version},
        {"Model", read_model},
        {"Config", read_config},
    };
    return READ_OBJECT(source, model, "the file", members, error);
}

/* ---- From bytes ------------------------------------------------------------------------------ */

static ftl_status read_values(ftl_arena *arena, ftl_account *account, const char *bytes,
                              size_t size, ftl_xgb_model *model, bool config, ftl_error *error)
{
    ftl_xgb_source source;
    ftl_xgb_source_init(&source, arena, account, bytes, size);
    ftl_status status = config ? read_config(&source, model, error)
                               : read_whole(&source, model, error);
    ftl_xgb_source_free(&source);
    return status;
}

/* What pickles of 1.0 to 1.4 hold: the binary form, and the configuration as JSON behind it. */
static ftl_status read_snapshot(ftl_arena *arena, ftl_account *account, const char *bytes,
                                size_t size, ftl_xgb_model *model, ftl_error *error)
{
    static const size_t header = sizeof "CONFIG-offset:" - 1;
    uint64_t n = 0;
    if (size >= header + sizeof n)
        memcpy(&n, bytes + header, sizeof n);
    if (n == 0 || n > size - header - sizeof n)
        return FTL_FAIL(error, FTL_CORRUPT, "the XGBoost model is damaged: it ends too early");
    bytes += header + sizeof n;
    size -= header + sizeof n;
    FTL_TRY(ftl_xgb_binary_read(arena, bytes, (size_t)n, model, error));
    return read_values(arena, account, bytes + n, size - (size_t)n, model, true, error);
}

ftl_status ftl_xgb_read(ftl_arena *arena, ftl_account *account, const char *bytes, size_t size,
                        ftl_xgb_model *out, ftl_error *error)
{
    static const char snapshot[] = "CONFIG-offset:";
    ftl_xgb_model model = {.objective = "", .num_target = 1, .best_iteration = -1};
    size_t space = 0;
    while (space < size && strchr(" \n\r\t", bytes[space]) && bytes[space])
        space++;
    if (size >= sizeof snapshot - 1 && memcmp(bytes, snapshot, sizeof snapshot - 1) == 0)
        FTL_TRY(read_snapshot(arena, account, bytes, size, &model, error));
    else if (space < size && bytes[space] == '{') {
        FTL_TRY(read_values(arena, account, bytes, size, &model, false, error));
        bool empty = model.booster == FTL_XGB_LINEAR ? !model.linear.data : !model.has_trees;
        if (model.has_booster && empty)
            return FTL_FAIL(error, FTL_UNSUPPORTED,
                            "the file holds XGBoost's configuration (save_config) and no model; "
                            "save booster.save_model('model.json') instead");
    } else
        FTL_TRY(ftl_xgb_binary_read(arena, bytes, size, &model, error));
    if (model.parallel_trees < 1)
        model.parallel_trees = 1;
    *out = model;
    return FTL_OK;
}
