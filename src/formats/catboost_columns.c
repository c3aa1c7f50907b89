/* Columns and their borders, as every part of a CatBoost file refers to them. */
#include "formats/catboost_core.h"

#include <math.h>

ftl_status ftl_cbm_borders_of(ftl_arena *arena, const ftl_fb_vector *from, const float **out,
                              ftl_error *error)
{
    float *borders = ftl_arena_array(arena, from->count, sizeof *borders);
    if (!borders)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < from->count; i++) {
        borders[i] = ftl_le_f32(from->data + 4 * (size_t)i);
        if (isnan(borders[i]) || (i && !(borders[i - 1] < borders[i])))
            return FTL_FAIL(error, FTL_CORRUPT, "the borders of a column are not in order");
    }
    *out = borders;
    return FTL_OK;
}

bool ftl_cbm_find_float(const ftl_cbm *cbm, int32_t index, uint32_t *out)
{
    uint32_t low = 0, high = cbm->n_floats;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (cbm->floats[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    *out = low;
    return low < cbm->n_floats && cbm->floats[low].index == index;
}

bool ftl_cbm_find_category(const ftl_cbm *cbm, int32_t index, uint32_t *out)
{
    uint32_t low = 0, high = cbm->n_categories;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (cbm->categories[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    *out = low;
    return low < cbm->n_categories && cbm->categories[low].index == index;
}
