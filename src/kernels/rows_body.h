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

/* One number, rounded as a lane of a vector is. */
#define ROWS_ONE(name, T)                        \
    ROWS_INLINE T name(ftl_rows_op op, T x, T v) \
    {                                            \
        switch (op) {                            \
        case FTL_ROWS_SUB:                       \
            return x - v;                        \
        case FTL_ROWS_ADD:                       \
            return x + v;                        \
        case FTL_ROWS_MUL:                       \
            return x * v;                        \
        case FTL_ROWS_DIV:                       \
            return x / v;                        \
        case FTL_ROWS_CLIP_LOW:                  \
            return x < v ? v : x;                \
        default:                                 \
            return x > v ? v : x;                \
        }                                        \
    }
ROWS_ONE(rows_one_f64, double)
ROWS_ONE(rows_one_f32, float)

ROWS_INLINE float rows_one_wide(ftl_rows_op op, float x, double v)
{
    return (float)rows_one_f64(op, (double)x, v);
}

/*
 * Narrow matrices are a row of numbers with a pattern of `lanes` row vectors: no rest is left at
 * each row's end. Others go row by row, and their rests number by number.
 */
enum { rows_narrow = 64, rows_least = 4 }; /* columns; patterns' worth of rows */

#define ROWS_RUN(name, chunk, one, X, V)                                                     \
    /* Returns how many rows were done. */                                                   \
    ROWS_INLINE size_t name##_narrow(ftl_rows_op op, size_t rows, size_t width, const X *x,  \
                                     const V *v, X *out)                                     \
    {                                                                                        \
        enum { lanes = ROWS_BYTES / sizeof(V) };                                             \
        V pattern[rows_narrow * lanes];                                                      \
        size_t r = 0;                                                                        \
        for (size_t i = 0; i < lanes; i++)                                                   \
            memcpy(pattern + i * width, v, width * sizeof *v);                               \
        for (; r + lanes <= rows; r += lanes) {                                              \
            for (size_t j = 0; j < width * lanes; j += lanes)                                \
                chunk(op, x + r * width + j, pattern + j, out + r * width + j);              \
        }                                                                                    \
        return r;                                                                            \
    }                                                                                        \
    ROWS_INLINE void name(ftl_rows_op op, size_t rows, size_t width, const X *x, const V *v, \
                          X *out)                                                            \
    {                                                                                        \
        enum { lanes = ROWS_BYTES / sizeof(V) };                                             \
        for (size_t r = 0; r < rows; r++, x += width, out += width) {                        \
            size_t j = 0;                                                                    \
            for (; j + lanes <= width; j += lanes)                                           \
                chunk(op, x + j, v + j, out + j);                                            \
            for (; j < width; j++)                                                           \
                out[j] = one(op, x[j], v[j]);                                                \
        }                                                                                    \
    }
ROWS_RUN(rows_run_f64, rows_chunk_f64, rows_one_f64, double, double)
ROWS_RUN(rows_run_f32, rows_chunk_f32, rows_one_f32, float, float)
ROWS_RUN(rows_run_wide, rows_chunk_wide, rows_one_wide, float, double)

/* Calls run with a constant op, so that each has a loop of its own. */
#define ROWS_EACH_OP(run, op, ...)                   \
    switch (op) {                                    \
    case FTL_ROWS_SUB:                               \
        return run(FTL_ROWS_SUB, __VA_ARGS__);       \
    case FTL_ROWS_ADD:                               \
        return run(FTL_ROWS_ADD, __VA_ARGS__);       \
    case FTL_ROWS_MUL:                               \
        return run(FTL_ROWS_MUL, __VA_ARGS__);       \
    case FTL_ROWS_DIV:                               \
        return run(FTL_ROWS_DIV, __VA_ARGS__);       \
    case FTL_ROWS_CLIP_LOW:                          \
        return run(FTL_ROWS_CLIP_LOW, __VA_ARGS__);  \
    default:                                         \
        return run(FTL_ROWS_CLIP_HIGH, __VA_ARGS__); \
    }

/* The pattern's room is in functions of their own, which few rows never enter. */
#define ROWS_APPLY(name, run, X, V)                                                              \
    static __attribute__((noinline)) size_t name##_narrow(                                       \
        ftl_rows_op op, size_t rows, size_t width, const X *x, const V *v, X *out)               \
    {                                                                                            \
        ROWS_EACH_OP(run##_narrow, op, rows, width, x, v, out)                                   \
    }                                                                                            \
    static void name##_by_row(ftl_rows_op op, size_t rows, size_t width, const X *x, const V *v, \
                              X *out)                                                            \
    {                                                                                            \
        ROWS_EACH_OP(run, op, rows, width, x, v, out)                                            \
    }                                                                                            \
    void ROWS_NAME(name)(ftl_rows_op op, size_t rows, size_t width, const X *x, const V *v,      \
                         X *out)                                                                 \
    {                                                                                            \
        size_t done = 0;                                                                         \
        if (width <= rows_narrow && rows >= rows_least * (ROWS_BYTES / sizeof(V)))               \
            done = name##_narrow(op, rows, width, x, v, out);                                    \
        name##_by_row(op, rows - done, width, x + done * width, v, out + done * width);          \
    }
ROWS_APPLY(rows_apply_f64, rows_run_f64, double, double)
ROWS_APPLY(rows_apply_f32, rows_run_f32, float, float)
ROWS_APPLY(rows_apply_wide, rows_run_wide, float, double)

/* ---- Searching ------------------------------------------------------------------------------- */

#define ROWS_WITHIN(name, T, VECTOR, BITS, SIGN)                \
    bool ROWS_NAME(name)(size_t n, const T *x, T limit)         \
    {                                                           \
        enum { lanes = sizeof(VECTOR) / sizeof(T) };            \
        BITS good = ~(BITS){0};                                 \
        size_t i = 0;                                           \
        for (; i + lanes <= n; i += lanes) {                    \
            BITS bits;                                          \
            memcpy(&bits, x + i, sizeof bits);                  \
            good &= (BITS)((VECTOR)(bits & ~(SIGN)) <= limit);  \
        }                                                       \
        uint64_t words[sizeof(VECTOR) / 8], all = ~UINT64_C(0); \
        memcpy(words, &good, sizeof words);                     \
        for (size_t k = 0; k < sizeof(VECTOR) / 8; k++)         \
            all &= words[k];                                    \
        bool within = all == ~UINT64_C(0);                      \
        for (; i < n; i++)                                      \
            within &= (x[i] < 0 ? -x[i] : x[i]) <= limit;       \
        return within;                                          \
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
