/*
 * What the transformer front ends share: column names, numeric dtypes from attributes, weights, the
 * schema's missing rule.
 */
#ifndef FTL_BUILD_TRANSFORMER_H
#define FTL_BUILD_TRANSFORMER_H

#include "build/build.h"

/* The names of a frame's columns; columns without one get "x<i>". NULL only when out of memory. */
const char **ftl_frame_names(ftl_build *build, const ftl_frame *frame);
/* Columns [0, width) of op as features that keep the names of `in`, which has as many columns. */
FTL_MUST_USE ftl_status ftl_frame_like(ftl_build *build, uint32_t op, const ftl_frame *in,
                                       ftl_frame *out, ftl_error *error);

/*
 * All columns of op as features called by the class's name in lower case and a number, as
 * ClassNamePrefixFeaturesOutMixin does: pca0, pca1 …
 */
FTL_MUST_USE ftl_status ftl_frame_numbered(ftl_build *build, const ftl_estimator *e, uint32_t op,
                                           ftl_frame *out, ftl_error *error);

/*
 * What numpy's hstack does to columns that are put side by side: bool, int and float are shown as
 * the widest of them, and float32 columns beside float64 ones become float64. Columns of the
 * model's input stay as they are.
 */
FTL_MUST_USE ftl_status ftl_frame_promote(ftl_build *build, const ftl_estimator *e,
                                          ftl_frame *frame, ftl_error *error);
/*
 * What an array made of several columns of a table does to their types: it is one of objects where
 * they differ. Input columns of the frame are shown cell by cell.
 */
void ftl_frame_join_inputs(const ftl_build *build, ftl_frame *frame);
/* Output columns of a transform that words are among: more are refused. */
enum { FTL_WIDEST_TEXT_OUTPUT = 1 << 16 };
/*
 * For the frame that the model's transform returns: decides what input columns are that nothing but
 * the output looks at. named: the model was fitted on a table with column names, whose columns may
 * be of any type. Shown as CELL: the column was part of an object array.
 */
FTL_MUST_USE ftl_status ftl_frame_finish(ftl_build *build, const ftl_estimator *root, bool named,
                                         ftl_frame *frame, ftl_error *error);

/*
 * A parameter such as dtype=numpy.float32: how its numbers are shown and the float type that
 * carries them.
 */
typedef struct ftl_number_type {
    ftl_as as;
    ftl_dtype_rule dtype; /* F32 or F64 */
} ftl_number_type;
FTL_MUST_USE ftl_status ftl_attr_number_type(const ftl_estimator *e, const char *name,
                                             ftl_number_type *out, ftl_error *error);

/* transformer_weights[name]; *found is false when there is none. */
FTL_MUST_USE ftl_status ftl_transformer_weight(const ftl_estimator *e, const char *name,
                                               bool *found, double *weight, ftl_error *error);
/* frame * weight */
FTL_MUST_USE ftl_status ftl_frame_scale(ftl_build *build, const ftl_estimator *e, double weight,
                                        ftl_frame *frame, ftl_error *error);

/* True when set_output made the estimator return tables, whose columns keep their own types. */
bool ftl_gives_tables(const ftl_estimator *e);
/*
 * Output names of a ColumnTransformer's or FeatureUnion's part: "part__name", or as
 * verbose_feature_names_out says.
 */
FTL_MUST_USE ftl_status ftl_frame_prefix(ftl_build *build, const ftl_estimator *e, const char *part,
                                         const ftl_frame *in, ftl_frame *out, ftl_error *error);

/*
 * The text of a name in the file: str, or a number's text. NULL when out of memory; "" for anything
 * else.
 */
const char *ftl_name_text(ftl_build *build, const ftl_node *node);

/* Notes what a missing cell is, when the column is one of the model's inputs. */
void ftl_build_missing(ftl_build *build, const ftl_frame_column *column, ftl_missing_rule rule);

/* methods() of every plain transformer. */
uint32_t ftl_transform_only(ftl_build *build, const ftl_estimator *e);
/*
 * The registry's entry of a plain transformer, and what else it has: .inputs = …, .inverse = … The
 * library is scikit-learn unless .library says another.
 */
#define FTL_PLAIN_TRANSFORMER(package_, name_, emit_, ...) \
    {.package = (package_),                                \
     .name = (name_),                                      \
     .kind = FTL_TRANSFORMER,                              \
     .methods = ftl_transform_only,                        \
     .emit = (emit_),                                      \
     __VA_ARGS__}
/* UNSUPPORTED unless method is transform; for emit() of plain transformers. */
FTL_MUST_USE ftl_status ftl_expect_transform(const ftl_estimator *e, ftl_method method,
                                             ftl_error *error);

/* The names of the n columns that the estimator was fitted on; x0, x1 … when it does not know them.
 */
FTL_MUST_USE ftl_status ftl_fitted_names(ftl_build *build, const ftl_estimator *e, size_t n,
                                         const char ***out, ftl_error *error);

/*
 * inputs() of a transformer that keeps an attribute with one element a column (mean_, categories_
 * …). names as FTL_NAMES.
 */
FTL_MUST_USE ftl_status ftl_inputs_by_length(ftl_build *build, const ftl_estimator *e,
                                             const char *const *names, ftl_inputs *out,
                                             ftl_error *error);

/* inputs() of what takes one column: labels, texts. */
FTL_MUST_USE ftl_status ftl_inputs_one(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                       ftl_error *error);
/* detail(): how many classes_ there are. */
const char *ftl_classes_detail(ftl_build *build, const ftl_estimator *e);

/* The same for an array with one column a feature (components_, theta_ …). */
FTL_MUST_USE ftl_status ftl_inputs_by_width(ftl_build *build, const ftl_estimator *e,
                                            const char *const *names, ftl_inputs *out,
                                            ftl_error *error);

/* True for transformers whose output has the columns of the input, one for one. */
bool ftl_keeps_columns(const ftl_estimator *e);

#endif
