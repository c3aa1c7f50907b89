/* Stored points as the distance kernels want them, and rows widened to float64. */
#ifndef FTL_PLAN_POINTS_H
#define FTL_PLAN_POINTS_H

#include "kernels/kernels.h"
#include "plan/plan.h"

typedef struct ftl_points {
    size_t n, groups;     /* features; groups of FTL_DISTANCE_LANES points */
    const double *packed; /* [groups][n][FTL_DISTANCE_LANES], 64-byte aligned */
} ftl_points;

/* points: [count][n]. out is part of a state piece. */
FTL_MUST_USE ftl_status ftl_points_pack(ftl_plan *plan, const double *points, size_t count,
                                        size_t n, ftl_points *out, ftl_error *error);

/*
 * Rows [first, first + rows) of the op's source matrix as float64, n columns wide: the source
 * itself, or, when that is float32, `room` filled from it.
 */
const double *ftl_wide_rows(const ftl_step *step, const ftl_exec *exec, size_t first, size_t rows,
                            size_t n, double *room);

#endif
