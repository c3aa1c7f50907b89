/*
 * Codes and cuts, included by trees_body.h once for each width of codes, with CUT_SIGNED and
 * CUT_UNSIGNED, the types of a code as it is compared and stored, and CUT_LOWEST, what the code 0
 * is stored as.
 */

#define CUT_LOCAL(name) CUT_NAME(name##_)
#define CUT_VECTOR CUT_LOCAL(cut_vector)
#define CUT_NUMBERS CUT_LOCAL(cut_numbers)
typedef CUT_SIGNED CUT_VECTOR __attribute__((vector_size(CUT_BYTES), may_alias));
typedef CUT_UNSIGNED CUT_NUMBERS __attribute__((vector_size(CUT_BYTES), may_alias));
enum { CUT_LOCAL(cut_lanes) = CUT_BYTES / sizeof(CUT_SIGNED) };

TREES_INLINE CUT_NUMBERS CUT_LOCAL(cut_repeat)(uint32_t word)
{
    return (CUT_NUMBERS)(word - (cut_words){0});
}

/* 1 for rows that go right at a categorical cut, else 0. */
TREES_INLINE void CUT_LOCAL(cut_set)(const uint32_t *set, const void *codes, uint32_t n,
                                     void *right)
{
    const CUT_UNSIGNED *code = codes;
    CUT_VECTOR *to = right;
    for (uint32_t i = 0; i < n; i++) {
        CUT_SIGNED one = (CUT_SIGNED)(~(set[code[i] >> 5] >> (code[i] & 31)) & 1u);
        to[i / CUT_LOCAL(cut_lanes)][i % CUT_LOCAL(cut_lanes)] = one;
    }
}

/* N registers of rows, from byte `at` of each column. */
#define CUT_ROWS(N)                                                                                \
    for (; at + N * CUT_BYTES <= bytes; at += N * CUT_BYTES) {                                     \
        CUT_NUMBERS number[N] = {{0}};                                                             \
        CUT_VECTOR chosen[N];                                                                      \
        for (uint32_t c = 0; c < tree->n_cuts; c++) {                                              \
            const ftl_tree_cut *cut = tree->cuts + c;                                              \
            const void *from = base + (cut->column & ~FTL_TREE_CUT_SET) * stride + at;             \
            const CUT_VECTOR *column = from;                                                       \
            uint32_t code = cut->code;                                                             \
            if (sizeof(CUT_SIGNED) == 2 && (cut->column & FTL_TREE_CUT_SET)) {                     \
                CUT_LOCAL(cut_set)(tree->sets + code, from, N * CUT_LOCAL(cut_lanes), chosen);     \
                column = chosen;                                                                   \
                code = 0;                                                                          \
            }                                                                                      \
            CUT_VECTOR limit = (CUT_VECTOR)CUT_LOCAL(cut_repeat)(code);                            \
            CUT_NUMBERS here = CUT_LOCAL(cut_repeat)(cut->from),                                   \
                        step = CUT_LOCAL(cut_repeat)(cut->step);                                   \
            _Pragma("GCC unroll 4") for (uint32_t i = 0; i < N; i++)                               \
            {                                                                                      \
                number[i] += (CUT_NUMBERS)(column[i] > limit) & (CUT_NUMBERS)(number[i] == here) & \
                             step;                                                                 \
            }                                                                                      \
        }                                                                                          \
        for (uint32_t i = 0; i < N; i++)                                                           \
            memcpy(out + at + i * CUT_BYTES, &number[i], CUT_BYTES);                               \
    }

void CUT_NAME(ftl_tree_cut)(const ftl_tree_cuts *tree, const void *codes, size_t stride,
                            uint32_t rows, void *leaf)
{
    const unsigned char *base = codes;
    unsigned char *out = leaf;
    size_t at = 0, bytes = rows * sizeof(CUT_SIGNED);
    CUT_ROWS(4)
    CUT_ROWS(1)
}

#ifndef CUT_OWN_CODES
/* The search makes the same steps for all rows, 16 of which are in flight. */
#define CUT_CODE(tail, type)                                                                      \
    bool CUT_SUFFIX(ftl_tree_code, tail)(const type *x, size_t stride, uint32_t rows,             \
                                         const type *edges, uint32_t steps, double zero,          \
                                         uint32_t missing, void *codes)                           \
    {                                                                                             \
        type value[FTL_TREE_CODE_ROWS];                                                           \
        CUT_UNSIGNED *out = codes;                                                                \
        int any = 0;                                                                              \
        uint32_t first = (1u << steps) - 1; /* where the last step arrives */                     \
        if (rows < FTL_TREE_CODE_ROWS)                                                            \
            memset(value, 0, sizeof value);                                                       \
        for (uint32_t r = 0; r < rows; r++)                                                       \
            value[r] = x[r * stride];                                                             \
        for (uint32_t r = 0; r < FTL_TREE_CODE_ROWS; r += 16) {                                   \
            uint32_t at[16] = {0};                                                                \
            for (uint32_t step = 0; step < steps; step++) {                                       \
                _Pragma("GCC unroll 16") for (uint32_t i = 0; i < 16; i++)                        \
                    at[i] = 2 * at[i] + 1 + (edges[at[i]] < value[r + i]);                        \
            }                                                                                     \
            for (uint32_t i = 0; i < 16; i++) {                                                   \
                double v = (double)value[r + i];                                                  \
                int is_missing = (v != v) | ((v <= zero) & (v >= -zero));                         \
                any |= is_missing;                                                                \
                out[r + i] = (CUT_UNSIGNED)((is_missing ? missing : at[i] - first) + CUT_LOWEST); \
            }                                                                                     \
        }                                                                                         \
        return any != 0;                                                                          \
    }
CUT_CODE(_f32, float)
CUT_CODE(_f64, double)
#undef CUT_CODE
#endif

#define CUT_ADD(tail, type)                                                                  \
    void CUT_SUFFIX(ftl_tree_cut, tail)(const type *values, const void *leaf, uint32_t rows, \
                                        type *sum, size_t width)                             \
    {                                                                                        \
        const CUT_UNSIGNED *number = leaf;                                                   \
        if (width == 1) {                                                                    \
            for (uint32_t r = 0; r < rows; r++)                                              \
                sum[r] += values[number[r]];                                                 \
        } else {                                                                             \
            for (uint32_t r = 0; r < rows; r++)                                              \
                sum[r * width] += values[number[r]];                                         \
        }                                                                                    \
    }
CUT_ADD(_add, double)
CUT_ADD(_add_f32, float)

#undef CUT_ADD
#undef CUT_ROWS
#undef CUT_NUMBERS
#undef CUT_VECTOR
#undef CUT_LOCAL
#undef CUT_LOWEST
#undef CUT_UNSIGNED
#undef CUT_SIGNED
#undef CUT_SUFFIX
#undef CUT_NAME
