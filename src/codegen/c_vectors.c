/*
 * Functions of generated code that work on many rows or trees at once, where the compiler and the
 * processor have instructions for it, and in plain C elsewhere. What they compute are integers: the
 * same everywhere. $ stands for the prefix.
 */
#include "codegen/c_code.h"

/* ---- Codes: how many of sixteen ascending thresholds lie below a value ------------------------ */

static const char below_head[] =
    "\n#if defined(__GNUC__) && defined(__x86_64__) && !defined($_PLAIN)\n"
    "#include <immintrin.h>\n"
    "#define $_WIDE __attribute__((target(\"avx512bw,avx512dq\")))\n"
    "#define $_LANES\n"
    "#endif\n";

static const char below_f64[] =
    "\n#if defined($_LANES)\n"
    "static inline unsigned $_below(const double *t, double x)\n"
    "{\n"
    "    const __m128d v = _mm_set1_pd(x);\n"
    "    #define $_AT(i) _mm_castpd_si128(_mm_cmplt_pd(_mm_loadu_pd(t + i), v))\n"
    "    const __m128i a = _mm_packs_epi32($_AT(0), $_AT(2)), b = _mm_packs_epi32($_AT(4), "
    "$_AT(6));\n"
    "    const __m128i c = _mm_packs_epi32($_AT(8), $_AT(10)), d = _mm_packs_epi32($_AT(12), "
    "$_AT(14));\n"
    "    #undef $_AT\n"
    "    const unsigned low = (unsigned)_mm_movemask_epi8(_mm_packs_epi16(a, b));\n"
    "    const unsigned high = (unsigned)_mm_movemask_epi8(_mm_packs_epi16(c, d));\n"
    "    return (unsigned)__builtin_ctzll(~((unsigned long long)high << 16 | low)) / 2;\n"
    "}\n"
    "\n$_WIDE static inline unsigned $_below_wide(const double *t, double x)\n"
    "{\n"
    "    const __m512d v = _mm512_set1_pd(x);\n"
    "    const unsigned low = _mm512_cmp_pd_mask(_mm512_loadu_pd(t), v, _CMP_LT_OQ);\n"
    "    const unsigned high = _mm512_cmp_pd_mask(_mm512_loadu_pd(t + 8), v, _CMP_LT_OQ);\n"
    "    return (unsigned)__builtin_ctz(~(high << 8 | low));\n"
    "}\n"
    "#else\n"
    "static unsigned $_below(const double *t, double x)\n"
    "{\n"
    "    unsigned i, n = 0;\n"
    "    for (i = 0; i < 16; i++)\n"
    "        n += t[i] < x;\n"
    "    return n;\n"
    "}\n"
    "#endif\n";

static const char below_f32[] =
    "\n#if defined($_LANES)\n"
    "static inline unsigned $_belowf(const float *t, float x)\n"
    "{\n"
    "    const __m128 v = _mm_set1_ps(x);\n"
    "    #define $_AT(i) _mm_castps_si128(_mm_cmplt_ps(_mm_loadu_ps(t + i), v))\n"
    "    const __m128i a = _mm_packs_epi32($_AT(0), $_AT(4)), b = _mm_packs_epi32($_AT(8), "
    "$_AT(12));\n"
    "    #undef $_AT\n"
    "    return (unsigned)__builtin_ctz(~(unsigned)_mm_movemask_epi8(_mm_packs_epi16(a, b)));\n"
    "}\n"
    "\n$_WIDE static inline unsigned $_belowf_wide(const float *t, float x)\n"
    "{\n"
    "    const __m512 v = _mm512_set1_ps(x);\n"
    "    return (unsigned)__builtin_ctz(~(unsigned)_mm512_cmp_ps_mask(_mm512_loadu_ps(t), v, "
    "_CMP_LT_OQ));\n"
    "}\n"
    "#else\n"
    "static unsigned $_belowf(const float *t, float x)\n"
    "{\n"
    "    unsigned i, n = 0;\n"
    "    for (i = 0; i < 16; i++)\n"
    "        n += t[i] < x;\n"
    "    return n;\n"
    "}\n"
    "#endif\n";

/* ---- Cuts ------------------------------------------------------------------------------------ */

static const char cut_type[] =
    "\n/*\n"
    " * Trees for blocks of rows: a row at the leftmost leaf of a node, `from`, whose code is "
    "larger\n"
    " * than the node's goes right, which is `step` leaves on. Constants fill a word.\n"
    " */\n"
    "typedef struct $_cut {\n"
    "    unsigned column, code, from, step;\n"
    "} $_cut;\n";

/*
 * BITS, ELEMENT and ROWS stand for what there are. NAME is cut, or level, which asks whatever the
 * row's leaf is: HERE, FROM, OF and AT are nothing then. Four registers hide how long a step takes.
 */
static const char cuts[] =
    "\n#if defined(__GNUC__) && !defined($_PLAIN)\n"
    "#define $_STEP(name, a, at) \\\n"
    "    memcpy(&x, at, sizeof x); \\\n"
    "    a += HERE(name##_lane)(x > code) & step;\n"
    "#define $_CUT(name, bytes, target) \\\n"
    "    typedef ELEMENT name##_lane __attribute__((vector_size(bytes))); \\\n"
    "    typedef unsigned name##_word __attribute__((vector_size(bytes))); \\\n"
    "    target static void name(const $_cut *cuts, unsigned n, const ELEMENT *codes, ELEMENT "
    "*leaf, \\\n"
    "                            unsigned rows) \\\n"
    "    { \\\n"
    "        const unsigned lanes = bytes / sizeof *leaf; \\\n"
    "        unsigned r, i; \\\n"
    "        for (r = 0; r < rows; r += 4 * lanes) { \\\n"
    "            name##_lane a = {0}, b = {0}, c = {0}, d = {0}, x; \\\n"
    "            for (i = 0; i < n; i++) { \\\n"
    "                const ELEMENT *at = codes + cuts[i].column * ROWS + r; \\\n"
    "                const name##_lane code = (name##_lane)((name##_word){0} + cuts[i].code); \\\n"
    "FROM"
    "                const name##_lane step = (name##_lane)((name##_word){0} + cuts[i].step); \\\n"
    "                $_STEP(name, a, at) \\\n"
    "                $_STEP(name, b, at + lanes) \\\n"
    "                $_STEP(name, c, at + 2 * lanes) \\\n"
    "                $_STEP(name, d, at + 3 * lanes) \\\n"
    "            } \\\n"
    "            memcpy(leaf + r, &a, sizeof a); \\\n"
    "            memcpy(leaf + r + lanes, &b, sizeof b); \\\n"
    "            memcpy(leaf + r + 2 * lanes, &c, sizeof c); \\\n"
    "            memcpy(leaf + r + 3 * lanes, &d, sizeof d); \\\n"
    "        } \\\n"
    "    }\n"
    "#if defined(__x86_64__)\n"
    "$_CUT($_NAMEBITS_64, 64, __attribute__((target(\"avx512bw\"))))\n"
    "$_CUT($_NAMEBITS_32, 32, __attribute__((target(\"avx2\"))))\n"
    "#endif\n"
    "$_CUT($_NAMEBITS_16, 16, )\n"
    "#undef $_CUT\n"
    "#undef $_STEP\n"
    "\n/* The leaves of rows of codes in one tree; codes: [column][ROWS], leaf: [ROWS] */\n"
    "static void $_NAMEBITS(const $_cut *cuts, unsigned n, const ELEMENT *codes, ELEMENT *leaf,\n"
    "                      unsigned rows)\n"
    "{\n"
    "#if defined(__x86_64__)\n"
    "    if (__builtin_cpu_supports(\"avx512bw\"))\n"
    "        $_NAMEBITS_64(cuts, n, codes, leaf, rows);\n"
    "    else if (__builtin_cpu_supports(\"avx2\"))\n"
    "        $_NAMEBITS_32(cuts, n, codes, leaf, rows);\n"
    "    else\n"
    "#endif\n"
    "        $_NAMEBITS_16(cuts, n, codes, leaf, rows);\n"
    "}\n"
    "#else\n"
    "static void $_NAMEBITS(const $_cut *cuts, unsigned n, const ELEMENT *codes, ELEMENT *leaf,\n"
    "                      unsigned rows)\n"
    "{\n"
    "    unsigned r, i;\n"
    "    memset(leaf, 0, rows * sizeof *leaf);\n"
    "    for (i = 0; i < n; i++) {\n"
    "        const ELEMENT *at = codes + cuts[i].column * ROWS;\n"
    "        const ELEMENT code = (ELEMENT)cuts[i].code;\n"
    "OF"
    "        const ELEMENT step = (ELEMENT)cuts[i].step;\n"
    "        for (r = 0; r < rows; r++)\n"
    "            leaf[r] = (ELEMENT)(leaf[r] + (AT at[r] > code ? step : 0));\n"
    "    }\n"
    "}\n"
    "#endif\n";

typedef struct word {
    const char *name, *text;
} word;

static void write_words(ftl_c_code *code, const char *text, const word *words, size_t n_words)
{
    while (*text) {
        size_t w = 0;
        while (w < n_words && strncmp(text, words[w].name, strlen(words[w].name)) != 0)
            w++;
        if (w < n_words)
            ftl_emit_text(code->out, words[w].text);
        else
            ftl_emit_bytes(code->out, *text == '$' ? code->prefix : text,
                           *text == '$' ? strlen(code->prefix) : 1);
        text += w < n_words ? strlen(words[w].name) : 1;
    }
}

static void write_cuts(ftl_c_code *code, const char *bits, const char *element, const char *rows)
{
    const word words[] = {
        {"BITS", bits},
        {"ELEMENT", element},
        {"ROWS", rows},
        {"NAME", "cut"},
        {"HERE", "(name##_lane)(a == from) & "},
        {"FROM", "                const name##_lane from = (name##_lane)((name##_word){0} + "
                 "cuts[i].from); \\\n"},
        {"OF", bits[0] == '8' ? "        const signed char from = (signed char)cuts[i].from;\n"
                              : "        const short from = (short)cuts[i].from;\n"},
        {"AT ", "leaf[r] == from && "}};
    write_words(code, cuts, words, FTL_ARRAY_LEN(words));
}

static void write_levels(ftl_c_code *code)
{
    const word words[] = {{"BITS", "8"},   {"ELEMENT", "signed char"},
                          {"ROWS", "256"}, {"NAME", "level"},
                          {"HERE", ""},    {"FROM", ""},
                          {"OF", ""},      {"AT ", ""}};
    write_words(code, cuts, words, FTL_ARRAY_LEN(words));
}

/* ---- Lanes ----------------------------------------------------------------------------------- */

static const char lanes[] =
    "\n#if defined($_LANES)\n"
    "/*\n"
    " * One row through 64 trees at once: steps are 64 columns, codes, leaves `from` and leaves to "
    "go on\n"
    " * each. c: codes of up to 64 columns; leaf: [64]\n"
    " */\n"
    "__attribute__((target(\"avx512bw,avx512vbmi\")))\n"
    "static void $_lanes_64(const unsigned char *steps, unsigned n, const signed char *c, unsigned "
    "char *leaf)\n"
    "{\n"
    "    const __m512i codes = _mm512_loadu_si512(c);\n"
    "    __m512i at = _mm512_setzero_si512();\n"
    "    unsigned i;\n"
    "    for (i = 0; i < n; i++, steps += 256) {\n"
    "        const __m512i x = _mm512_permutexvar_epi8(_mm512_loadu_si512(steps), codes);\n"
    "        const __mmask64 here = _mm512_cmpeq_epi8_mask(at, _mm512_loadu_si512(steps + 128));\n"
    "        const __mmask64 right =\n"
    "            _mm512_mask_cmpgt_epi8_mask(here, x, _mm512_loadu_si512(steps + 64));\n"
    "        at = _mm512_mask_add_epi8(at, right, at, _mm512_loadu_si512(steps + 192));\n"
    "    }\n"
    "    _mm512_storeu_si512(leaf, at);\n"
    "}\n"
    "\n__attribute__((target(\"avx2\")))\n"
    "static void $_lanes_32(const unsigned char *steps, unsigned n, const signed char *c, unsigned "
    "blocks,\n"
    "                       unsigned char *leaf)\n"
    "{\n"
    "    #define $_LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))\n"
    "    const __m256i large = _mm256_set1_epi8(0x70), sixteen = _mm256_set1_epi8(16);\n"
    "    __m256i codes[4], at[2];\n"
    "    unsigned i, k, h;\n"
    "    for (k = 0; k < 4; k++)\n"
    "        codes[k] = _mm256_broadcastsi128_si256(\n"
    "            _mm_loadu_si128((const __m128i *)(const void *)(c + 16 * k)));\n"
    "    at[0] = at[1] = _mm256_setzero_si256();\n"
    "    for (i = 0; i < n; i++, steps += 256) {\n"
    "        for (h = 0; h < 2; h++) {\n"
    "            const unsigned char *s = steps + 32 * h;\n"
    "            __m256i column = $_LOAD(s), here, right;\n"
    "            __m256i x = _mm256_shuffle_epi8(codes[0], _mm256_adds_epu8(column, large));\n"
    "            for (k = 1; k < blocks; k++) {\n"
    "                column = _mm256_sub_epi8(column, sixteen);\n"
    "                x = _mm256_or_si256(\n"
    "                    x, _mm256_shuffle_epi8(codes[k], _mm256_adds_epu8(column, large)));\n"
    "            }\n"
    "            here = _mm256_cmpeq_epi8(at[h], $_LOAD(s + 128));\n"
    "            right = _mm256_cmpgt_epi8(x, $_LOAD(s + 64));\n"
    "            at[h] = _mm256_add_epi8(\n"
    "                at[h], _mm256_and_si256(_mm256_and_si256(here, right), $_LOAD(s + 192)));\n"
    "        }\n"
    "    }\n"
    "    #undef $_LOAD\n"
    "    _mm256_storeu_si256((__m256i *)(void *)leaf, at[0]);\n"
    "    _mm256_storeu_si256((__m256i *)(void *)(leaf + 32), at[1]);\n"
    "}\n"
    "#endif\n";

void ftl_c_write_vectors(ftl_c_code *code)
{
    if (code->uses & (FTL_C_BELOW_F64 | FTL_C_BELOW_F32))
        ftl_c_text(code, below_head);
    if (code->uses & FTL_C_BELOW_F64)
        ftl_c_text(code, below_f64);
    if (code->uses & FTL_C_BELOW_F32)
        ftl_c_text(code, below_f32);
    if (code->uses & (FTL_C_CUTS8 | FTL_C_CUTS16 | FTL_C_LEVELS))
        ftl_c_text(code, cut_type);
    if (code->uses & FTL_C_LEVELS)
        write_levels(code);
    if (code->uses & FTL_C_CUTS8)
        write_cuts(code, "8", "signed char", "256");
    if (code->uses & FTL_C_CUTS16)
        write_cuts(code, "16", "short", "128");
    if (code->uses & FTL_C_ROW_LANES)
        ftl_c_text(code, lanes);
}
