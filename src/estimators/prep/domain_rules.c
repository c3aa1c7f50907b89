/*
 * The parameters of sklearn2pmml's domains, whose meaning changed over the years. The file does not
 * name the version that wrote it; the parameters that a version has tell:
 *
 *     before 0.24      no with_data. Missing values are replaced, nothing is compared
 *     0.24 – 0.51.0    parameters that are None are not kept. The same
 *     0.51.1 – 0.53    the same parameters, but values are compared with what training saw
 *     0.54 – 0.100     parameters that are None are kept
 *     0.101 – 0.104    data_values or data_min. Missing objects become None
 *     0.105            n_features_in_, of tables
 *
 * From 0.103.1 on an invalid value that counts as missing becomes a missing one; before, it stayed.
 * Where the parameters leave two versions possible that differ, the row is refused.
 */
#include "estimators/prep/domain_rules.h"

#include <math.h>
#include <string.h>

typedef enum era {
    era_plain,     /* nothing is compared */
    era_uncertain, /* 0.24 – 0.53 */
    era_checked,   /* 0.51.1 – 0.100 */
    era_values,    /* 0.101 and later */
    era_tables     /* 0.105 and later */
} era;

static bool has(const ftl_estimator *e, const char *name) { return ftl_attr(e, name) != NULL; }

static bool has_none(const ftl_estimator *e, const char *name)
{
    const ftl_node *node = ftl_attr(e, name);
    return node && ftl_node_is_none(node);
}

static era era_of(const ftl_estimator *e)
{
    if (has(e, "data_values") || has(e, "data_min"))
        return has(e, "n_features_in_") ? era_tables : era_values;
    if (has(e, "display_name") || has(e, "dtype_") || has_none(e, "missing_values") ||
        has_none(e, "invalid_value_replacement") || has_none(e, "dtype") ||
        ftl_attr_is(e, "invalid_value_treatment", "as_value"))
        return era_checked;
    return has(e, "with_data") ? era_uncertain : era_plain;
}

/* An absent one is MISSING. */
static ftl_status node_cell(ftl_build *build, const ftl_node *node, ftl_cell *out, ftl_error *error)
{
    *out = (ftl_cell){.tag = FTL_CELL_MISSING};
    return node ? ftl_cell_of(build, node, out, error) : FTL_OK;
}

ftl_status ftl_attr_cell(ftl_build *build, const ftl_estimator *e, const char *name, ftl_cell *out,
                         ftl_error *error)
{
    ftl_status status = node_cell(build, ftl_attr(e, name), out, error);
    if (status != FTL_OK)
        ftl_error_in_attr(error, e, name);
    return status;
}

/* ---- Missing values -------------------------------------------------------------------------- */

/* missing_values: None, a value or a list of values, NaN among them. */
static ftl_status read_missing(ftl_build *build, const ftl_estimator *e, ftl_domain_rules *out,
                               ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "missing_values");
    ftl_node *one = (ftl_node *)node, **items = &one;
    size_t n = 1;
    out->nan_is_missing = ftl_node_is_none(node);
    if (out->nan_is_missing)
        return FTL_OK;
    if (node->kind == FTL_NODE_LIST) {
        items = node->u.seq.items;
        n = node->u.seq.size;
    }
    FTL_TRY(ftl_build_spend(build, n, error));
    out->missing = ftl_arena_zero_array(build->arena, n, sizeof *out->missing);
    if (!out->missing)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        ftl_cell cell;
        ftl_status status = node_cell(build, items[i], &cell, error);
        if (status != FTL_OK) {
            ftl_error_in_attr(error, e, "missing_values");
            return status;
        }
        if (cell.tag == FTL_CELL_MISSING)
            out->nan_is_missing = true;
        else
            out->missing[out->n_missing++] = cell;
    }
    return FTL_OK;
}

static bool fitted_on(const ftl_estimator *e, const char *kinds)
{
    static const char *const attributes[] = {"dtype_", "data_min_", "data_values_", "data_"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(attributes); i++) {
        const ftl_node *node = ftl_attr(e, attributes[i]);
        if (node && node->kind == FTL_NODE_DTYPE)
            return strchr(kinds, node->u.dtype->kind) != NULL;
        if (node && node->kind == FTL_NODE_OBJECT && i == 0) /* one of pandas' own */
            return *kinds == 'i' && strstr(node->u.object->name, "Int");
        if (node && node->kind == FTL_NODE_ARRAY)
            return strchr(kinds, node->u.array->dtype->kind) != NULL;
    }
    return false;
}

/* The first missing value, or NaN: what 0.103.1 and later make of a value that counts as missing.
 */
static ftl_treatment to_missing(const ftl_domain_rules *rules)
{
    ftl_treatment made = {FTL_DOMAIN_REPLACED, {.tag = FTL_CELL_MISSING}};
    if (rules->n_missing > 0 && !rules->objects)
        made.value = rules->missing[0];
    return made;
}

static ftl_status treat_missing(ftl_build *build, const ftl_estimator *e, era when,
                                ftl_domain_rules *out, ftl_error *error)
{
    FTL_TRY(ftl_attr_cell(build, e, "missing_value_replacement", &out->if_missing.value, error));
    if (ftl_attr_is(e, "missing_value_treatment", "return_invalid"))
        out->if_missing.rule = FTL_DOMAIN_REFUSED;
    else if (out->if_missing.value.tag != FTL_CELL_MISSING || (when >= era_values && out->objects))
        out->if_missing.rule = FTL_DOMAIN_REPLACED;
    return FTL_OK;
}

/* ---- Invalid values and outliers ------------------------------------------------------------- */

static ftl_treatment invalid_as_missing(const ftl_domain_rules *rules, era when)
{
    const ftl_treatment kept = {.rule = FTL_DOMAIN_KEPT}, refused = {.rule = FTL_DOMAIN_REFUSED};
    if (rules->if_missing.rule == FTL_DOMAIN_REFUSED)
        return refused;
    if (rules->if_missing.value.tag != FTL_CELL_MISSING)
        return when == era_uncertain ? refused : rules->if_missing;
    return when == era_values ? refused : when == era_tables ? to_missing(rules) : kept;
}

static ftl_status treat_invalid(ftl_build *build, const ftl_estimator *e, era when, bool outliers,
                                ftl_domain_rules *out, ftl_error *error)
{
    ftl_treatment *made = &out->if_invalid;
    bool is_is = ftl_attr_is(e, "invalid_value_treatment", "as_is");
    *made = (ftl_treatment){.rule = FTL_DOMAIN_KEPT};
    if (when == era_plain)
        return FTL_OK;
    FTL_TRY(ftl_attr_cell(build, e, "invalid_value_replacement", &made->value, error));
    bool replaced = made->value.tag != FTL_CELL_MISSING;
    if (is_is || ftl_attr_is(e, "invalid_value_treatment", "as_value"))
        made->rule = when == era_uncertain && (replaced || outliers) ? FTL_DOMAIN_REFUSED
                     : replaced                                      ? FTL_DOMAIN_REPLACED
                                                                     : FTL_DOMAIN_KEPT;
    else if (ftl_attr_is(e, "invalid_value_treatment", "as_missing"))
        *made = invalid_as_missing(out, when);
    else if (ftl_attr_is(e, "invalid_value_treatment", "return_invalid"))
        made->rule = FTL_DOMAIN_REFUSED;
    else
        return FTL_ATTR_FAIL(
            error, e, "invalid_value_treatment", FTL_UNSUPPORTED,
            "a treatment other than return_invalid, as_is, as_missing or as_value");
    return FTL_OK;
}

static ftl_status treat_outliers(ftl_build *build, const ftl_estimator *e, era when,
                                 ftl_domain_rules *out, ftl_error *error)
{
    bool missing = ftl_attr_is(e, "outlier_treatment", "as_missing_values");
    if (!missing && !ftl_attr_is(e, "outlier_treatment", "as_extreme_values"))
        return ftl_node_is_none(ftl_attr(e, "outlier_treatment")) ||
                       ftl_attr_is(e, "outlier_treatment", "as_is")
                   ? FTL_OK
                   : FTL_ATTR_FAIL(error, e, "outlier_treatment", FTL_UNSUPPORTED,
                                   "a treatment other than as_is, as_missing_values or "
                                   "as_extreme_values");
    FTL_TRY(ftl_attr_f64(e, "low_value", (double)NAN, &out->outlier_low, error));
    FTL_TRY(ftl_attr_f64(e, "high_value", (double)NAN, &out->outlier_high, error));
    if (isnan(out->outlier_low) || isnan(out->outlier_high))
        return FTL_ATTR_FAIL(error, e, "low_value", FTL_CORRUPT, "outliers have no limits");
    FTL_TRY(ftl_attr_cell(build, e, "low_value", &out->if_low.value, error));
    FTL_TRY(ftl_attr_cell(build, e, "high_value", &out->if_high.value, error));
    out->if_low.rule = out->if_high.rule = FTL_DOMAIN_REPLACED;
    if (!missing)
        return FTL_OK;
    const ftl_node *list = ftl_attr(e, "missing_values");
    if (list && list->kind == FTL_NODE_LIST && when < era_tables)
        return FTL_ATTR_FAIL(error, e, "missing_values", FTL_UNSUPPORTED,
                             "outliers as missing values, of which there are several");
    if (out->if_missing.rule != FTL_DOMAIN_KEPT)
        out->if_low = out->if_missing;
    else
        out->if_low = to_missing(out);
    out->if_high = out->if_low;
    return FTL_OK;
}

/* numpy cuts off what a whole number cannot hold, pandas does not. */
static ftl_status check_whole(const ftl_estimator *e, const ftl_domain_rules *rules,
                              ftl_error *error)
{
    const ftl_treatment *const all[] = {&rules->if_missing, &rules->if_invalid, &rules->if_low,
                                        &rules->if_high};
    for (size_t i = 0; rules->whole && i < FTL_ARRAY_LEN(all); i++) {
        const ftl_cell *value = &all[i]->value;
        if (all[i]->rule == FTL_DOMAIN_REPLACED && value->tag == FTL_CELL_FLOAT &&
            value->u.number != trunc(value->u.number))
            return FTL_FAIL(error, FTL_UNSUPPORTED,
                            "%s puts a fraction into a column of whole numbers, which is kept or "
                            "cut off by how the table is passed",
                            e->cls->name);
    }
    return FTL_OK;
}

ftl_status ftl_domain_rules_read(ftl_build *build, const ftl_estimator *e, bool continuous,
                                 ftl_domain_rules *out, ftl_error *error)
{
    const era when = era_of(e);
    *out = (ftl_domain_rules){.checked = when != era_plain,
                              .old_items = when < era_values,
                              .objects = fitted_on(e, "O"),
                              .numbers = fitted_on(e, "iufb"),
                              .whole = fitted_on(e, "iu"),
                              .outlier_low = -(double)INFINITY,
                              .outlier_high = (double)INFINITY};
    const ftl_node *outliers = ftl_attr(e, "outlier_treatment");
    bool treats = continuous && !ftl_node_is_none(outliers) &&
                  !ftl_attr_is(e, "outlier_treatment", "as_is");
    FTL_TRY(read_missing(build, e, out, error));
    FTL_TRY(treat_missing(build, e, when, out, error));
    FTL_TRY(treat_invalid(build, e, when, treats, out, error));
    if (continuous)
        FTL_TRY(treat_outliers(build, e, when, out, error));
    return check_whole(e, out, error);
}
