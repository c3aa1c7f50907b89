/*
 * Random forests of version=v2. LightGBM 2.2.0 to 2.2.2 grow leaves that are means of labels and
 * average them; 2.2.3, whose text has the same keys, grows raw scores and converts their average.
 * A leaf of the first kind times its count is a sum of labels.
 */
#include "formats/lightgbm.h"

#include "base/number.h"

#include <math.h>

/* What the leaves of all trees can and cannot be. */
typedef struct evidence {
    bool no_mean; /* a leaf lies where no mean of labels does */
    bool no_sum;  /* a leaf times its count is no whole number */
    bool some;    /* a leaf is not 0, which either kind may be */
} evidence;

static void look_at(double value, double count, bool at_most_one, evidence *seen)
{
    static const double rounding = 1e-9;
    double sum = value * count;
    seen->no_mean |= value < -rounding || (at_most_one && value > 1 + rounding);
    seen->no_sum |= !(fabs(sum - nearbyint(sum)) <= rounding * (1 + fabs(sum)));
    seen->some |= value != 0;
}

/* A tree: two lists of as many numbers. */
static bool look_at_tree(ftl_span values, ftl_span counts, bool at_most_one, evidence *seen)
{
    ftl_span value, count;
    while (ftl_lightgbm_word(&values, &value)) {
        double v, n;
        if (!ftl_lightgbm_word(&counts, &count) || !ftl_parse_f64(value.at, value.size, '.', &v) ||
            !ftl_parse_f64(count.at, count.size, '.', &n))
            return false;
        look_at(v, n, at_most_one, seen);
    }
    return true;
}

ftl_status ftl_lightgbm_settle_forest(ftl_lightgbm *model, ftl_error *error)
{
    ftl_span rest = {model->trees, model->trees_size}, line, key, value, values = {0};
    bool at_most_one = model->output != FTL_LIGHTGBM_EXP, counted = true;
    evidence seen = {0};
    if (!model->average || model->has_end || model->output == FTL_LIGHTGBM_RAW)
        return FTL_OK;
    while (ftl_lightgbm_line(&rest, &line)) {
        if (!ftl_lightgbm_pair(line, &key, &value))
            continue;
        if (ftl_span_is(key, "leaf_value"))
            values = value;
        else if (ftl_span_is(key, "leaf_count") && values.at) {
            counted &= look_at_tree(values, value, at_most_one, &seen);
            values = (ftl_span){0};
        }
    }
    bool roots = model->output == FTL_LIGHTGBM_SIGNED_SQUARE;
    if (!roots && (seen.no_mean || !counted))
        return FTL_OK; /* raw scores; or damaged, which reading the trees says */
    if (roots || seen.no_sum || !seen.some)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "the random forest does not tell whether LightGBM 2.2.2 or 2.2.3 wrote it, "
                        "which average otherwise; train it again with a newer one");
    model->output = FTL_LIGHTGBM_RAW;
    return FTL_OK;
}
