/* LightGBM's text models: what is folded into thresholds, what the reader refuses, whose
 * categories. */
#include "formats/lightgbm.h"
#include "unit.h"

#include <math.h>
#include <string.h>

#define HEADER(version, infos)                                           \
    "tree\nversion=" version "\nnum_class=1\nnum_tree_per_iteration=1\n" \
    "label_index=0\nmax_feature_idx=2\nobjective=binary sigmoid:0.5\n"   \
    "feature_names=a b c\nfeature_infos=" infos "\ntree_sizes=99\n\n"
#define NUMBERS "[0:1] [0:9] [-1:1]"
#define ONE_SPLIT(threshold, type)                                                \
    "Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=1\nthreshold=" threshold "\n" \
    "decision_type=" type "\nleft_child=-1\nright_child=-2\nleaf_value=1 2\n"     \
    "shrinkage=1\n\n\n"
#define END "end of trees\n\nfeature_importances:\nb=1\n"
#define CATEGORIES(json) "\npandas_categorical:" json "\n"

typedef struct reading {
    ftl_account account;
    ftl_arena arena;
    ftl_lightgbm model;
    ftl_tree_nodes nodes;
    const ftl_linear_leaves *linear;
    ftl_error error;
} reading;

static ftl_status read_text(reading *r, const char *text, size_t size)
{
    ftl_account_init(&r->account, NULL, 0);
    ftl_arena_init(&r->arena, &r->account);
    ftl_error_clear(&r->error);
    FTL_TRY(ftl_lightgbm_read(&r->arena, text, size, &r->model, &r->error));
    return ftl_lightgbm_read_trees(&r->arena, &r->model, &r->nodes, &r->linear, &r->error);
}

static void done(reading *r)
{
    ftl_arena_free(&r->arena);
    assert_int_equal(ftl_account_used(&r->account), 0);
}

static void expect_split(const char *text, double threshold, unsigned flags)
{
    reading r;
    assert_int_equal(read_text(&r, text, strlen(text)), FTL_OK);
    assert_int_equal(r.nodes.n_nodes, 3);
    assert_true(r.nodes.threshold[0] == threshold);
    assert_int_equal(r.nodes.flags[0], flags);
    assert_int_equal(r.nodes.left[0], 1);
    assert_int_equal(r.nodes.right[0], 2);
    assert_true(r.nodes.values[r.nodes.leaf[2]] == 2);
    done(&r);
}
#define SPLIT(threshold, type, wanted, flags) \
    expect_split(HEADER("v4", NUMBERS) ONE_SPLIT(threshold, type) END, wanted, flags)

/*
 * decision_type: 2 default left; missing 0 none, 4 zero, 8 NaN. The library sets |x| <= 1e-35f to
 * 0 before it looks at a tree.
 */
static void zeros_and_missing_values_are_folded(void **state)
{
    (void)state;
    const double z = (double)1e-35f, below = nextafter(-z, -INFINITY);
    enum { L = FTL_NODE_MISSING_LEFT, Z = FTL_NODE_ZERO_MISSING };
    SPLIT("0.5", "0", 0.5, L); /* NaN is 0 and goes where 0 goes, whatever the default is */
    SPLIT("0.5", "2", 0.5, L);
    SPLIT("-0.5", "2", -0.5, 0);
    SPLIT("0.5", "8", 0.5, 0);
    SPLIT("-0.5", "10", -0.5, L);
    SPLIT("0", "8", z, 0);
    SPLIT("1.0000000180025095e-35", "10", z, L);
    SPLIT("-1.0000000180025095e-35", "10", below, L);
    SPLIT("1e-30", "8", 1e-30, 0);
    SPLIT("0.5", "6", 0.5, L); /* zeros go left as by comparison: nothing to remember */
    SPLIT("-0.5", "4", -0.5, 0);
    SPLIT("0.5", "4", 0.5, Z);
    SPLIT("-0.5", "6", -0.5, L | Z);
    SPLIT("1.0000000180025095e-35", "4", below, 0);
    SPLIT("1.0000000180025095e-35", "6", z, L);
    SPLIT("-1.0000000180025095e-35", "4", below, 0);
    SPLIT("-1.0000000180025095e-35", "6", z, L);
}

static void expect(const char *text, ftl_status status, const char *says)
{
    reading r;
    ftl_status got = read_text(&r, text, strlen(text));
    if (got != status || !strstr(r.error.message, says))
        fail_msg("%s \"%s\" instead of %s \"%s\"", ftl_status_name(got), r.error.message,
                 ftl_status_name(status), says);
    done(&r);
}

static void damaged_texts_are_refused(void **state)
{
    (void)state;
    expect(HEADER("v5", NUMBERS) END, FTL_UNSUPPORTED, "v5");
    expect(HEADER("v4", "[0:1] none") END, FTL_CORRUPT, "feature_infos");
    expect(HEADER("v4", "[0:1] none x") END, FTL_CORRUPT, "column 2");
    expect(HEADER("v4", NUMBERS) END, FTL_CORRUPT, "another number");
    expect(HEADER("v4", NUMBERS) ONE_SPLIT("nan", "2") END, FTL_CORRUPT, "threshold");
    expect(HEADER("v4", NUMBERS) ONE_SPLIT("0.5 1", "14") END, FTL_CORRUPT, "decision_type");
    expect(HEADER("v4", NUMBERS) ONE_SPLIT("0.5", "-1") END, FTL_CORRUPT, "decision_type");
    expect(HEADER("v4", NUMBERS) ONE_SPLIT("0.5", "1") END, FTL_CORRUPT, "set of categories");
    expect(HEADER("v4", NUMBERS) ONE_SPLIT("", "2") END, FTL_CORRUPT, "threshold");
    expect(HEADER("v4", NUMBERS) "Tree=0\nnum_leaves=99\nleaf_value=1 2\n\n" END, FTL_CORRUPT,
           "num_leaves");
    expect(HEADER("v4", NUMBERS) "Tree=0\nnum_leaves=1\nnum_cat=1\nleaf_value=1\n"
                                 "cat_boundaries=0 7\ncat_threshold=1\n\n" END,
           FTL_CORRUPT, "cat_boundaries");
    expect(HEADER("v4", NUMBERS) "Tree=0\nnum_leaves=1\nnum_cat=0\nleaf_value=1\nis_linear=1\n"
                                 "leaf_const=1\nnum_features=4000000000\nleaf_features=1\n\n" END,
           FTL_CORRUPT, "num_features");
    expect(HEADER("v4", NUMBERS) ONE_SPLIT("0.5", "2") "other\n" END, FTL_CORRUPT,
           "something else");
}

/* What is cut off is noticed at every length; version 2.1 wrote no end, but a number of trees. */
static void cut_texts_are_refused(void **state)
{
    (void)state;
    static const char text[] = HEADER("v4", NUMBERS) ONE_SPLIT("0.5", "2") "end of trees";
    for (size_t size = 0; size + 1 < sizeof text; size++) {
        reading r;
        if (read_text(&r, text, size) == FTL_OK)
            fail_msg("%zu bytes of %zu are taken for a whole model", size, sizeof text - 1);
        done(&r);
    }
    expect(text, FTL_OK, "");
    expect(HEADER("v2", NUMBERS) ONE_SPLIT("0.5", "2"), FTL_OK, "");
    expect(HEADER("v2", NUMBERS), FTL_CORRUPT, "cut off");
}

/* ---- Categories of data frames ------------------------------------------------------------------ */

static void expect_kinds(const char *text, ftl_status status, const char *kinds)
{
    ftl_context *context = NULL;
    ftl_model *model = NULL;
    ftl_error error;
    assert_int_equal(ftl_context_create(NULL, &context, NULL), FTL_OK);
    ftl_error_clear(&error);
    ftl_status got = ftl_model_open_memory(context, text, strlen(text), NULL, &model, &error);
    if (got != status)
        fail_msg("%s: %s", ftl_status_name(got), error.message);
    for (size_t i = 0; model && kinds[i]; i++) {
        ftl_schema_column column = {.struct_size = sizeof column};
        assert_int_equal(ftl_model_input(model, i, &column), FTL_OK);
        assert_int_equal(column.batch_type == FTL_STRING, kinds[i] == 't');
    }
    if (model && !kinds[0]) /* whose categories they are is not known */
        assert_false(ftl_model_has_method(model, FTL_PREDICT));
    ftl_model_release(model);
    ftl_context_destroy(context);
}
#define FRAME(infos, json) HEADER("v4", infos) ONE_SPLIT("0.5", "2") END CATEGORIES(json)

static void lists_find_their_columns(void **state)
{
    (void)state;
    expect_kinds(FRAME("[0:1] 0:1 [0:1]", "[[\"x\", \"y\"]]"), FTL_OK, "ntn");
    expect_kinds(FRAME("1:0 [0:9] -1:0:2", "[[\"x\", \"y\"], [\"u\", \"v\", \"w\"]]"), FTL_OK,
                 "tnt");
    expect_kinds(FRAME("[0.5:1] [0:2] [0:9]", "[[\"u\", \"v\", \"w\"]]"), FTL_OK, "ntn");
    expect_kinds(FRAME("[0.5:1] 0:1 none", "[[\"x\", \"y\"], [\"u\"]]"), FTL_OK, "ntt");
    expect_kinds(FRAME("[0:1] [0:1] [0:9]", "[[\"x\", \"y\"]]"), FTL_OK, "");
    expect_kinds(FRAME("[0:1] 0:9 [0:9]", "[[\"x\", \"y\"]]"), FTL_CORRUPT, "");
    expect_kinds(FRAME("[0:1] [0:9] [0:9]", "[[], [], [], []]"), FTL_CORRUPT, "");
    expect_kinds(FRAME("0:1 [0:9] [0:9]", "[[\"x\", [1]]]"), FTL_CORRUPT, "");
    expect_kinds(FRAME("0:1 [0:9] [0:9]", "[[\"x\", null]]"), FTL_CORRUPT, "");
    expect_kinds(FRAME("0:1 [0:9] [0:9]", "[[\"x\""), FTL_CORRUPT, "");
    expect_kinds(FRAME("[0:1] [0:9] [0:9]", "[]"), FTL_OK, "nnn");
    expect_kinds(FRAME("[0:1] [0:9] [0:9]", "null"), FTL_OK, "nnn");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeros_and_missing_values_are_folded),
        cmocka_unit_test(damaged_texts_are_refused),
        cmocka_unit_test(cut_texts_are_refused),
        cmocka_unit_test(lists_find_their_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
