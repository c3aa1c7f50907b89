/* What the parts of the CatBoost reader share. */
#ifndef FTL_FORMATS_CATBOOST_CORE_H
#define FTL_FORMATS_CATBOOST_CORE_H

#include "formats/catboost.h"

/* Fields of TModelCore, TModelTrees and TKeyValue by number. */
enum { CORE_FORMAT, CORE_TREES, CORE_INFO, CORE_PARTS, CORE_KNOWN };
enum {
    TREES_DIMENSION,
    TREES_SPLITS,
    TREES_SIZES,
    TREES_STARTS,
    TREES_CATEGORIES,
    TREES_FLOATS,
    TREES_ONE_HOTS,
    TREES_CTRS,
    TREES_LEAF_VALUES,
    TREES_LEAF_WEIGHTS,
    TREES_STEPS,
    TREES_LEAF_IDS,
    TREES_TEXTS,
    TREES_ESTIMATED,
    TREES_SCALE,
    TREES_BIAS,
    TREES_BIASES,
    TREES_REPACKED,
    TREES_EMBEDDINGS,
    TREES_KNOWN
};
enum { PAIR_KEY, PAIR_VALUE };

typedef struct ftl_cbm_file {
    ftl_flatbuf buffer;
    ftl_fb_table core, trees;
    const uint8_t *rest; /* the parts behind the core */
    size_t rest_size;
} ftl_cbm_file;

/* buffer's address is kept in the tables: the file stays where it is. */
FTL_MUST_USE ftl_status ftl_cbm_open(const char *bytes, size_t size, ftl_cbm_file *out,
                                     ftl_error *error);
/* A vector of float32 borders: copied, ascending. */
FTL_MUST_USE ftl_status ftl_cbm_borders_of(ftl_arena *arena, const ftl_fb_vector *from,
                                           const float **out, ftl_error *error);
/* The target statistics of a model whose floats and categories are read. */
FTL_MUST_USE ftl_status ftl_cbm_read_ctrs(ftl_arena *arena, const ftl_cbm_file *file, ftl_cbm *cbm,
                                          ftl_error *error);
/* The number that a file's index of a float or category has; false: there is none. */
bool ftl_cbm_find_float(const ftl_cbm *cbm, int32_t index, uint32_t *out);
bool ftl_cbm_find_category(const ftl_cbm *cbm, int32_t index, uint32_t *out);

#endif
