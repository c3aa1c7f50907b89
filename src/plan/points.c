#include "plan/points.h"

#include "base/checked.h"

ftl_status ftl_points_pack(ftl_plan *plan, const double *points, size_t count, size_t n,
                           ftl_points *out, ftl_error *error)
{
    size_t groups = ftl_distance_groups(count), size;
    if (!ftl_mul_size(groups * FTL_DISTANCE_LANES, n, &size) ||
        !ftl_mul_size(size, sizeof(double), &size))
        return FTL_OOM(error);
    double *packed = ftl_blob_zero_data(&plan->blob, size, 1);
    if (!packed)
        return FTL_OOM(error);
    for (size_t i = 0; i < count; i++) {
        const double *from = points + i * n;
        double *to = packed + i / FTL_DISTANCE_LANES * n * FTL_DISTANCE_LANES +
                     i % FTL_DISTANCE_LANES;
        for (size_t j = 0; j < n; j++)
            to[j * FTL_DISTANCE_LANES] = from[j];
    }
    *out = (ftl_points){.n = n, .groups = groups, .packed = packed};
    ftl_blob_ref(&plan->blob, &out->packed);
    return FTL_OK;
}

const double *ftl_wide_rows(const ftl_step *step, const ftl_exec *exec, size_t first, size_t rows,
                            size_t n, double *room)
{
    bool is_f32;
    const void *source = ftl_matrix_source(step, exec, &is_f32);
    if (!is_f32)
        return (const double *)source + first * n;
    const float *from = (const float *)source + first * n;
    for (size_t i = 0; i < rows * n; i++)
        room[i] = (double)from[i];
    return room;
}
