/*
 * The linear kernels, included once per instruction set with LINEAR_NAME(name) defined,
 * LINEAR_BYTES (of a register) and LINEAR_VECTORS (of outputs at a time). One output sums in eight
 * lanes, in as many registers as that takes: vectors wider than a register are no option, as
 * compilers keep those in memory. The arithmetic of a lane is the same on all of them.
 */
#include "kernels/linear.h"

#include <string.h>

enum {
    linear_lanes = LINEAR_BYTES / sizeof(double),
    linear_parts = FTL_LINEAR_LANES / linear_lanes /* registers of eight lanes */
};
typedef double linear_lane __attribute__((vector_size(LINEAR_BYTES)));
typedef float linear_half __attribute__((vector_size(LINEAR_BYTES / 2)));
#define LINEAR_INLINE static inline __attribute__((always_inline))
#define LINEAR_UNROLL _Pragma("GCC unroll 6")
#define LINEAR_EACH(i) _Pragma("GCC unroll 8") for (size_t i = 0; i < FTL_LINEAR_LANES; i++)

LINEAR_INLINE void linear_load_f64(linear_lane *out, const double *from)
{
    memcpy(out, from, sizeof *out);
}

LINEAR_INLINE void linear_load_f32(linear_lane *out, const float *from)
{
    linear_half v;
    memcpy(&v, from, sizeof v);
    *out = __builtin_convertvector(v, linear_lane);
}

LINEAR_INLINE double linear_fold(const linear_lane *sum)
{
    double v[FTL_LINEAR_LANES];
    memcpy(v, sum, sizeof v);
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

/*
 * Copies n < FTL_LINEAR_LANES numbers in pieces of four, two and one: pieces as large as what is
 * loaded from there next, where possible, which then need not wait for the stores to be complete.
 */
LINEAR_INLINE void linear_rest(void *to, const void *from, size_t n, size_t size)
{
    char *out = to;
    const char *in = from;
    if (n & 4) {
        memcpy(out, in, 4 * size);
        out += 4 * size, in += 4 * size;
    }
    if (n & 2) {
        memcpy(out, in, 2 * size);
        out += 2 * size, in += 2 * size;
    }
    if (n & 1)
        memcpy(out, in, size);
}

/*
 * One output: N rows at a time keep the adders busy; a row's own sum does not depend on its
 * neighbours. The tail is padded with zeros, as the weights are.
 */
#define LINEAR_ONE_ROWS(N, type, load)                                                            \
    for (; r + N <= rows; r += N) {                                                               \
        const type *row = x + r * stride;                                                         \
        linear_lane sum[N][linear_parts], xj, wj[linear_parts];                                   \
        LINEAR_UNROLL for (size_t i = 0; i < N; i++)                                              \
        {                                                                                         \
            LINEAR_UNROLL for (size_t p = 0; p < linear_parts; p++) sum[i][p] = (linear_lane){0}; \
        }                                                                                         \
        for (size_t j = 0; j < whole; j += FTL_LINEAR_LANES) {                                    \
            LINEAR_UNROLL for (size_t p = 0; p < linear_parts; p++)                               \
            {                                                                                     \
                linear_load_f64(&wj[p], w + j + p * linear_lanes);                                \
                LINEAR_UNROLL for (size_t i = 0; i < N; i++)                                      \
                {                                                                                 \
                    load(&xj, row + i * stride + j + p * linear_lanes);                           \
                    sum[i][p] += xj * wj[p];                                                      \
                }                                                                                 \
            }                                                                                     \
        }                                                                                         \
        LINEAR_UNROLL for (size_t i = 0; i < N && whole < n; i++)                                 \
        {                                                                                         \
            type tail[FTL_LINEAR_LANES] = {0};                                                    \
            linear_rest(tail, row + i * stride + whole, n - whole, sizeof *tail);                 \
            LINEAR_UNROLL for (size_t p = 0; p < linear_parts; p++)                               \
            {                                                                                     \
                linear_load_f64(&wj[p], w + whole + p * linear_lanes);                            \
                load(&xj, tail + p * linear_lanes);                                               \
                sum[i][p] += xj * wj[p];                                                          \
            }                                                                                     \
        }                                                                                         \
        LINEAR_UNROLL for (size_t i = 0; i < N; i++) acc[r + i] += linear_fold(sum[i]);           \
    }

#define LINEAR_ONE(name, type, load)                                                             \
    void LINEAR_NAME(name)(size_t rows, size_t n, const type *x, size_t stride, const double *w, \
                           double *acc)                                                          \
    {                                                                                            \
        size_t whole = n / FTL_LINEAR_LANES * FTL_LINEAR_LANES, r = 0;                           \
        LINEAR_ONE_ROWS(2, type, load)                                                           \
        LINEAR_ONE_ROWS(1, type, load)                                                           \
    }

/*
 * Several outputs: outputs are lanes, and a tile of rows x vectors of sums stays in registers while
 * the features pass by. Every sum is one chain over the features, so that the tiles' shape, which
 * depends on the registers there are, shows in no result.
 */
enum { linear_rows = 6, linear_vectors = LINEAR_VECTORS };

/* acc[0 .. n) += sum, for the n <= linear_lanes outputs that there are. */
LINEAR_INLINE void linear_add(double *acc, const linear_lane *sum, size_t n)
{
    linear_lane whole = {0};
    if (n >= linear_lanes) {
        memcpy(&whole, acc, sizeof whole);
        whole += *sum;
        memcpy(acc, &whole, sizeof whole);
        return;
    }
    for (size_t k = 0; k < n; k++)
        acc[k] += (*sum)[k];
}

/* One tile, `rows` x `vectors` constant; `outputs`: how many are left, more than the last vector
 * but one holds. */
#define LINEAR_TILE(type)                                                                       \
    LINEAR_INLINE void linear_tile_##type(size_t rows, size_t vectors, size_t n, const type *x, \
                                          size_t stride, const double *w, size_t padded,        \
                                          double *acc, size_t n_out, size_t outputs)            \
    {                                                                                           \
        linear_lane sum[linear_rows][linear_vectors], wj[linear_vectors];                       \
        LINEAR_UNROLL for (size_t i = 0; i < rows; i++)                                         \
        {                                                                                       \
            LINEAR_UNROLL for (size_t v = 0; v < vectors; v++) sum[i][v] = (linear_lane){0};    \
        }                                                                                       \
        for (size_t j = 0; j < n; j++, w += padded) {                                           \
            LINEAR_UNROLL for (size_t v = 0; v < vectors; v++)                                  \
                memcpy(&wj[v], w + v * linear_lanes, sizeof wj[v]);                             \
            LINEAR_UNROLL for (size_t i = 0; i < rows; i++)                                     \
            {                                                                                   \
                double xj = (double)x[i * stride + j];                                          \
                LINEAR_UNROLL for (size_t v = 0; v < vectors; v++) sum[i][v] += xj * wj[v];     \
            }                                                                                   \
        }                                                                                       \
        LINEAR_UNROLL for (size_t i = 0; i < rows; i++)                                         \
        {                                                                                       \
            LINEAR_UNROLL for (size_t v = 0; v < vectors; v++) linear_add(                      \
                acc + i * n_out + v * linear_lanes, &sum[i][v], outputs - v * linear_lanes);    \
        }                                                                                       \
    }

#define LINEAR_STRIP(vectors, type)                                                            \
    do {                                                                                       \
        size_t r = 0;                                                                          \
        for (; r + linear_rows <= rows; r += linear_rows)                                      \
            linear_tile_##type(linear_rows, vectors, n, x + r * stride, stride, w + k, padded, \
                               acc + r * n_out + k, n_out, n_out - k);                         \
        for (; r < rows; r++)                                                                  \
            linear_tile_##type(1, vectors, n, x + r * stride, stride, w + k, padded,           \
                               acc + r * n_out + k, n_out, n_out - k);                         \
    } while (0)

#define LINEAR_MANY(name, type)                                                               \
    LINEAR_TILE(type)                                                                         \
    void LINEAR_NAME(name)(size_t rows, size_t n, size_t n_out, const type *x, size_t stride, \
                           const double *w, double *acc)                                      \
    {                                                                                         \
        size_t padded = ftl_linear_padded(n_out);                                             \
        for (size_t k = 0; k < n_out; k += linear_vectors * linear_lanes) {                   \
            size_t vectors = (n_out - k + linear_lanes - 1) / linear_lanes;                   \
            if (vectors >= linear_vectors)                                                    \
                LINEAR_STRIP(linear_vectors, type);                                           \
            else if (linear_vectors > 2 && vectors == 3)                                      \
                LINEAR_STRIP((linear_vectors > 2 ? 3 : 1), type);                             \
            else if (linear_vectors > 2 && vectors == 2)                                      \
                LINEAR_STRIP(2, type);                                                        \
            else                                                                              \
                LINEAR_STRIP(1, type);                                                        \
        }                                                                                     \
    }

/*
 * One output of columns: rows are lanes, each with its eight sums, which are those of the form by
 * rows: what that adds beyond n is zero times zero, and no sum is a negative zero.
 */
#define LINEAR_COLUMNS(name, type, load)                                                         \
    void LINEAR_NAME(name)(size_t rows, size_t n, const type *x, size_t stride, const double *w, \
                           double *acc)                                                          \
    {                                                                                            \
        size_t whole = n / FTL_LINEAR_LANES * FTL_LINEAR_LANES, r = 0;                           \
        for (; r + linear_lanes <= rows; r += linear_lanes) {                                    \
            const type *at = x + r;                                                              \
            linear_lane v[FTL_LINEAR_LANES], xj, out;                                            \
            LINEAR_EACH(i) v[i] = (linear_lane){0};                                              \
            for (size_t j = 0; j < whole;                                                        \
                 j += FTL_LINEAR_LANES, at += FTL_LINEAR_LANES * stride) {                       \
                LINEAR_EACH(i)                                                                   \
                {                                                                                \
                    load(&xj, at + i * stride);                                                  \
                    v[i] += xj * w[j + i];                                                       \
                }                                                                                \
            }                                                                                    \
            LINEAR_EACH(i)                                                                       \
            {                                                                                    \
                if (i >= n - whole)                                                              \
                    break;                                                                       \
                load(&xj, at + i * stride);                                                      \
                v[i] += xj * w[whole + i];                                                       \
            }                                                                                    \
            memcpy(&out, acc + r, sizeof out);                                                   \
            out += ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));            \
            memcpy(acc + r, &out, sizeof out);                                                   \
        }                                                                                        \
        for (; r < rows; r++) {                                                                  \
            double v[FTL_LINEAR_LANES] = {0};                                                    \
            for (size_t j = 0; j < n; j++)                                                       \
                v[j % FTL_LINEAR_LANES] += (double)x[r + j * stride] * w[j];                     \
            acc[r] += ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));         \
        }                                                                                        \
    }

LINEAR_ONE(linear_one_f64, double, linear_load_f64)
LINEAR_ONE(linear_one_f32, float, linear_load_f32)
LINEAR_COLUMNS(linear_columns_f64, double, linear_load_f64)
LINEAR_COLUMNS(linear_columns_f32, float, linear_load_f32)
LINEAR_MANY(linear_many_f64, double)
LINEAR_MANY(linear_many_f32, float)
