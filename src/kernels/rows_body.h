/*
 * The rows kernels, included once per instruction set with ROWS_NAME(name) and ROWS_BYTES, the size
 * of a register, defined. The arithmetic of a number is the same in vectors of any size.
 */
#include "kernels/rows.h"

#include <stdint.h>
#include <string.h>

#define ROWS_INLINE static inline __attribute__((always_inline))

typedef double rows_f64 __attribute__((vector_size(ROWS_BYTES)));
typedef float rows_f32 __attribute__((vector_size(ROWS_BYTES)));
typedef float rows_half __attribute__((vector_size(ROWS_BYTES / 2)));
typedef uint64_t rows_u64 __attribute__((vector_size(ROWS_BYTES)));
typedef uint32_t rows_u32 __attribute__((vector_size(ROWS_BYTES)));

/* One vector of numbers X (as wide as V) and one of the row vector's, V. */
#define ROWS_STEP(name, VECTOR, BITS)                                \
    ROWS_INLINE VECTOR name(ftl_rows_op op, VECTOR x, VECTOR v)      \
    {                                                                \
        BITS over = (BITS)(op == FTL_ROWS_CLIP_LOW ? x < v : x > v); \
        switch (op) {                                                \
        case FTL_ROWS_SUB:                                           \
            return x - v;                                            \
        case FTL_ROWS_ADD:                                           \
            return x + v;                                            \
        case FTL_ROWS_MUL:                                           \
            return x * v;                                            \
        case FTL_ROWS_DIV:                                           \
            return x / v;                                            \
        default:                                                     \
            return (VECTOR)((over & (BITS)v) | (~over & (BITS)x));   \
        }                                                            \
    }
ROWS_STEP(rows_step_f64, rows_f64, rows_u64)
ROWS_STEP(rows_step_f32, rows_f32, rows_u32)

ROWS_INLINE void rows_chunk_f64(ftl_rows_op op, const double *x, const double *v, double *out)
{
    rows_f64 a, b;
    memcpy(&a, x, sizeof a);
    memcpy(&b, v, sizeof b);
    a = rows_step_f64(op, a, b);
    memcpy(out, &a, sizeof a);
}

ROWS_INLINE void rows_chunk_f32(ftl_rows_op op, const float *x, const float *v, float *out)
{
    rows_f32 a, b;
    memcpy(&a, x, sizeof a);
    memcpy(&b, v, sizeof b);
    a = rows_step_f32(op, a, b);
    memcpy(out, &a, sizeof a);
}

ROWS_INLINE void rows_chunk_wide(ftl_rows_op op, const float *x, const double *v, float *out)
{
    rows_half a;
    rows_f64 b;
    memcpy(&a, x, sizeof a);
    memcpy(&b, v, sizeof b);
    a = __builtin_convertvector(rows_step_f64(op, __builtin_convertvector(a, rows_f64), b),
                                rows_half);
    memcpy(out, &a, sizeof a);
}

/*
 * Narrow matrices are a row of numbers with a pattern of `lanes` row vectors: no rest is left at
 * each row's end. Others go row by row, and their rests through a padded vector.
 */
enum { rows_narrow = 64, rows_least = 4 }; /* columns; patterns' worth of rows */

#define ROWS_REST(chunk, X, V, lanes)                           \
    do {                                                        \
        X rest[lanes] = {0};                                    \
        V with[lanes] = {0};                                    \
        for (size_t k = j; k < width; k++)                      \
            rest[k - j] = x[r * width + k], with[k - j] = v[k]; \
        chunk(op, rest, with, rest);                            \
        for (size_t k = j; k < width; k++)                      \
            out[r * width + k] = rest[k - j];                   \
    } while (0)

#define ROWS_RUN(name, chunk, X, V)                                                          \
    ROWS_INLINE void name(ftl_rows_op op, size_t rows, size_t width, const X *x, const V *v, \
                          X *out)                                                            \
    {                                                                                        \
        enum { lanes = ROWS_BYTES / sizeof(V) };                                             \
        size_t r = 0;                                                                        \
        if (width <= rows_narrow && rows >= rows_least * lanes) {                            \
            V pattern[rows_narrow * lanes];                                                  \
            for (size_t i = 0; i < lanes; i++)                                               \
                memcpy(pattern + i * width, v, width * sizeof *v);                           \
            for (; r + lanes <= rows; r += lanes) {                                          \
                for (size_t j = 0; j < width * lanes; j += lanes)                            \
                    chunk(op, x + r * width + j, pattern + j, out + r * width + j);          \
            }                                                                                \
        }                                                                                    \
        for (; r < rows; r++) {                                                              \
            size_t j = 0;                                                                    \
            for (; j + lanes <= width; j += lanes)                                           \
                chunk(op, x + r * width + j, v + j, out + r * width + j);                    \
            if (j < width)                                                                   \
                ROWS_REST(chunk, X, V, lanes);                                               \
        }                                                                                    \
    }
ROWS_RUN(rows_run_f64, rows_chunk_f64, double, double)
ROWS_RUN(rows_run_f32, rows_chunk_f32, float, float)
ROWS_RUN(rows_run_wide, rows_chunk_wide, float, double)

#define ROWS_APPLY(name, run, X, V)                                                         \
    void ROWS_NAME(name)(ftl_rows_op op, size_t rows, size_t width, const X *x, const V *v, \
                         X *out)                                                            \
    {                                                                                       \
        switch (op) {                                                                       \
        case FTL_ROWS_SUB:                                                                  \
            run(FTL_ROWS_SUB, rows, width, x, v, out);                                      \
            return;                                                                         \
        case FTL_ROWS_ADD:                                                                  \
            run(FTL_ROWS_ADD, rows, width, x, v, out);                                      \
            return;                                                                         \
        case FTL_ROWS_MUL:                                                                  \
            run(FTL_ROWS_MUL, rows, width, x, v, out);                                      \
            return;                                                                         \
        case FTL_ROWS_DIV:                                                                  \
            run(FTL_ROWS_DIV, rows, width, x, v, out);                                      \
            return;                                                                         \
        case FTL_ROWS_CLIP_LOW:                                                             \
            run(FTL_ROWS_CLIP_LOW, rows, width, x, v, out);                                 \
            return;                                                                         \
        default:                                                                            \
            run(FTL_ROWS_CLIP_HIGH, rows, width, x, v, out);                                \
        }                                                                                   \
    }
ROWS_APPLY(rows_apply_f64, rows_run_f64, double, double)
ROWS_APPLY(rows_apply_f32, rows_run_f32, float, float)
ROWS_APPLY(rows_apply_wide, rows_run_wide, float, double)

/* ---- Searching ------------------------------------------------------------------------------- */

#define ROWS_WITHIN(name, T, VECTOR, BITS, SIGN)               \
    bool ROWS_NAME(name)(size_t n, const T *x, T limit)        \
    {                                                          \
        enum { lanes = sizeof(VECTOR) / sizeof(T) };           \
        BITS good = ~(BITS){0};                                \
        size_t i = 0;                                          \
        for (; i + lanes <= n; i += lanes) {                   \
            BITS bits;                                         \
            memcpy(&bits, x + i, sizeof bits);                 \
            good &= (BITS)((VECTOR)(bits & ~(SIGN)) <= limit); \
        }                                                      \
        bool within = true;                                    \
        for (size_t k = 0; k < lanes; k++)                     \
            within &= good[k] != 0;                            \
        for (; i < n; i++)                                     \
            within &= (x[i] < 0 ? -x[i] : x[i]) <= limit;      \
        return within;                                         \
    }
ROWS_WITHIN(rows_within_f64, double, rows_f64, rows_u64, UINT64_C(1) << 63)
ROWS_WITHIN(rows_within_f32, float, rows_f32, rows_u32, UINT32_C(1) << 31)

/*
 * Few columns: one by one, without a branch. More: the largest of each lane, of all lanes, and from
 * the back the columns that equal it. Rows with a NaN are searched again.
 */
#define ROWS_ARGMAX(name, T, VECTOR, BITS, UINT)                                             \
    static size_t name##_plain(size_t width, const T *x)                                     \
    {                                                                                        \
        size_t best = 0;                                                                     \
        for (size_t k = 1; k < width && x[best] == x[best]; k++)                             \
            best = x[k] <= x[best] ? best : k;                                               \
        return best;                                                                         \
    }                                                                                        \
    ROWS_INLINE size_t name##_few(size_t width, const T *x)                                  \
    {                                                                                        \
        T largest = x[0];                                                                    \
        UINT best = 0;                                                                       \
        bool nan = false;                                                                    \
        for (size_t k = 0; k < width; k++) {                                                 \
            UINT more = (UINT)0 - (UINT)(x[k] > largest);                                    \
            largest = x[k] > largest ? x[k] : largest;                                       \
            best ^= (best ^ (UINT)k) & more;                                                 \
            nan |= x[k] != x[k];                                                             \
        }                                                                                    \
        return nan ? name##_plain(width, x) : (size_t)best;                                  \
    }                                                                                        \
    ROWS_INLINE VECTOR name##_larger(VECTOR a, VECTOR b)                                     \
    {                                                                                        \
        BITS more = (BITS)(b > a);                                                           \
        return (VECTOR)((more & (BITS)b) | (~more & (BITS)a));                               \
    }                                                                                        \
    /* The largest of a row; true where there is a NaN. Two chains, so that they overlap. */ \
    ROWS_INLINE bool name##_largest(size_t width, const T *x, T *out)                        \
    {                                                                                        \
        enum { lanes = sizeof(VECTOR) / sizeof(T) };                                         \
        size_t whole = width / lanes * lanes, first = whole / lanes % 2 ? lanes : 0;         \
        VECTOR most, most_b, next, next_b;                                                   \
        memcpy(&most, x, sizeof most);                                                       \
        most_b = most;                                                                       \
        BITS bad = (BITS)(most != most);                                                     \
        for (size_t k = first; k < whole; k += 2 * lanes) {                                  \
            memcpy(&next, x + k, sizeof next);                                               \
            memcpy(&next_b, x + k + lanes, sizeof next_b);                                   \
            bad |= (BITS)(next != next) | (BITS)(next_b != next_b);                          \
            most = name##_larger(most, next);                                                \
            most_b = name##_larger(most_b, next_b);                                          \
        }                                                                                    \
        most = name##_larger(most, most_b);                                                  \
        T values[lanes], largest;                                                            \
        UINT bads[lanes], nan = 0;                                                           \
        memcpy(values, &most, sizeof values);                                                \
        memcpy(bads, &bad, sizeof bads);                                                     \
        largest = values[0];                                                                 \
        for (size_t i = 0; i < lanes; i++) {                                                 \
            largest = values[i] > largest ? values[i] : largest;                             \
            nan |= bads[i];                                                                  \
        }                                                                                    \
        for (size_t k = whole; k < width; k++) {                                             \
            largest = x[k] > largest ? x[k] : largest;                                       \
            nan |= x[k] != x[k];                                                             \
        }                                                                                    \
        *out = largest;                                                                      \
        return nan != 0;                                                                     \
    }                                                                                        \
    /* The first column that equals what one of them does. */                                \
    ROWS_INLINE size_t name##_first(size_t width, const T *x, T value)                       \
    {                                                                                        \
        enum { lanes = sizeof(VECTOR) / sizeof(T) };                                         \
        size_t whole = width / lanes * lanes;                                                \
        UINT columns[lanes], best = (UINT) - 1;                                              \
        VECTOR next;                                                                         \
        BITS where = ~(BITS){0}, column;                                                     \
        for (size_t i = 0; i < lanes; i++)                                                   \
            columns[i] = (UINT)(whole - lanes + i);                                          \
        memcpy(&column, columns, sizeof column);                                             \
        for (size_t k = whole; k > 0; k -= lanes, column -= lanes) {                         \
            memcpy(&next, x + k - lanes, sizeof next);                                       \
            BITS equal = (BITS)(next == value);                                              \
            where = (equal & column) | (~equal & where);                                     \
        }                                                                                    \
        memcpy(columns, &where, sizeof columns);                                             \
        for (size_t i = 0; i < lanes; i++)                                                   \
            best = columns[i] < best ? columns[i] : best;                                    \
        for (size_t k = whole; k < width && best == (UINT) - 1; k++)                         \
            best = x[k] == value ? (UINT)k : best;                                           \
        return (size_t)best;                                                                 \
    }                                                                                        \
    ROWS_INLINE size_t name##_many(size_t width, const T *x)                                 \
    {                                                                                        \
        T largest;                                                                           \
        bool nan = name##_largest(width, x, &largest);                                       \
        return nan ? name##_plain(width, x) : name##_first(width, x, largest);               \
    }                                                                                        \
    void ROWS_NAME(name)(size_t rows, size_t width, const T *x, uint32_t *out)               \
    {                                                                                        \
        if (width < 2 * sizeof(VECTOR) / sizeof(T)) {                                        \
            for (size_t r = 0; r < rows; r++)                                                \
                out[r] = (uint32_t)name##_few(width, x + r * width);                         \
        } else {                                                                             \
            for (size_t r = 0; r < rows; r++)                                                \
                out[r] = (uint32_t)name##_many(width, x + r * width);                        \
        }                                                                                    \
    }
ROWS_ARGMAX(rows_argmax_f64, double, rows_f64, rows_u64, uint64_t)
ROWS_ARGMAX(rows_argmax_f32, float, rows_f32, rows_u32, uint32_t)
