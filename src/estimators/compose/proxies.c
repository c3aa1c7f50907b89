/*
 * What sklearn2pmml wraps around estimators: EstimatorProxy and SelectorProxy, which copy
 * attributes for others to read, and Alias and MultiAlias, which name the results of a transformer.
 */
#include "build/pandas_table.h"
#include "build/transformer.h"

#include <string.h>

static ftl_status wrapped(ftl_build *build, const ftl_estimator *e, const char *const *names,
                          ftl_estimator *out, ftl_error *error)
{
    const char *name = ftl_attr(e, names[0]) ? names[0] : names[1];
    const ftl_node *node = NULL;
    FTL_TRY(ftl_attr_need(e, names, &node, error));
    return ftl_estimator_of(build, node, e, ftl_child_path(build, e, "%s", name), out, error);
}

/* Until 0.45 the wrapped one was called by a name with an underscore. */
static ftl_status proxied(ftl_build *build, const ftl_estimator *e, ftl_estimator *out,
                          ftl_error *error)
{
    return strcmp(e->cls->name, "SelectorProxy") == 0
               ? wrapped(build, e, FTL_NAMES("selector", "selector_"), out, error)
               : wrapped(build, e, FTL_NAMES("estimator", "estimator_"), out, error);
}

static ftl_status emit_proxy(ftl_build *build, const ftl_estimator *e, ftl_method method,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_estimator child;
    FTL_TRY(proxied(build, e, &child, error));
    return ftl_emit(build, &child, method, in, out, error);
}

/* The first proxies had all methods of what they wrap. */
static uint32_t proxy_methods(ftl_build *build, const ftl_estimator *e)
{
    ftl_estimator child;
    if (proxied(build, e, &child, NULL) != FTL_OK)
        return 1u << FTL_PREDICT; /* asking for it tells why not */
    uint32_t methods = ftl_estimator_methods(build, &child);
    if (ftl_attr(e, "estimator"))
        methods &= 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA;
    return methods;
}

static ftl_status proxy_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                               ftl_error *error)
{
    ftl_estimator child;
    FTL_TRY(proxied(build, e, &child, error));
    return ftl_estimator_inputs(build, &child, out, error);
}

/* ---- Names ----------------------------------------------------------------------------------- */

static ftl_status aliased(ftl_build *build, const ftl_estimator *e, ftl_estimator *out,
                          ftl_error *error)
{
    return wrapped(build, e, FTL_NAMES("transformer_", "transformer_"), out, error);
}

static ftl_status emit_alias(ftl_build *build, const ftl_estimator *e, ftl_method method,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_node *name = ftl_attr(e, "name"), *names = ftl_attr(e, "names");
    ftl_inputs given = {.count = -1};
    ftl_estimator child;
    ftl_frame made = {0};
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(aliased(build, e, &child, error));
    FTL_TRY(ftl_emit(build, &child, FTL_TRANSFORM, in, &made, error));
    FTL_TRY(ftl_frame_concat(build, &made, 1, out, error));
    ftl_frame_form(&made, out);
    if (!ftl_node_is_none(names))
        FTL_TRY(ftl_names_of(build, ftl_inner_list(names), &given, error));
    if (name && name->kind == FTL_NODE_STR && out->n_columns == 1)
        out->columns[0].name = ftl_name_text(build, name);
    for (uint32_t k = 0; given.count == out->n_columns && k < out->n_columns; k++)
        out->columns[k].name = given.names[k];
    return FTL_OK;
}

static ftl_status alias_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                               ftl_error *error)
{
    ftl_estimator child;
    FTL_TRY(aliased(build, e, &child, error));
    return ftl_estimator_inputs(build, &child, out, error);
}

#define PROXY(name_, answers_)  \
    {.package = "sklearn2pmml", \
     .name = (name_),           \
     .kind = FTL_OTHER_MODEL,   \
     .methods = proxy_methods,  \
     .emit = emit_proxy,        \
     .inputs = proxy_inputs,    \
     .answers = (answers_),     \
     .library = "sklearn2pmml"}
#define ALIAS(name_)                                                                            \
    FTL_PLAIN_TRANSFORMER("sklearn2pmml.decoration", name_, emit_alias, .inputs = alias_inputs, \
                          .library = "sklearn2pmml")

const ftl_estimator_class ftl_proxy_classes[] = {
    PROXY("EstimatorProxy", proxied),
    PROXY("SelectorProxy", proxied),
    ALIAS("Alias"),
    ALIAS("MultiAlias"),
    {0},
};
