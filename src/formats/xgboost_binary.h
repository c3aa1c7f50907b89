/*
 * XGBoost's binary format of 0.x and 1.x (little-endian structs of fixed sizes):
 *
 *   ["binf"] learner parameters (136 bytes) objective booster (texts: uint64 size + bytes)
 *   gbtree, dart: model parameters (160), per tree: parameters (148), nodes (20 each), statistics
 *                 (16 each); tree_info (int32 each); dart: uint64 + float weights
 *   gblinear:     parameters (136), uint64 + float weights
 *   attributes:   uint64 + pairs of texts, when the learner's parameters say so
 */
#ifndef FTL_FORMATS_XGBOOST_BINARY_H
#define FTL_FORMATS_XGBOOST_BINARY_H

#include "formats/xgboost.h"

/* Fills what the format says of *model. */
FTL_MUST_USE ftl_status ftl_xgb_binary_read(ftl_arena *arena, const char *bytes, size_t size,
                                            ftl_xgb_model *model, ftl_error *error);

#endif
