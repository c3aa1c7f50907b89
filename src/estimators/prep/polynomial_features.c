/*
 * PolynomialFeatures of sklearn.preprocessing.
 *
 * Output columns are the combinations of input columns (with replacement, or without for
 * interaction_only) by degree, then lexicographically. From 0.22 on a product is made by
 * multiplying a column of the previous degree with the combination's first column, (x_c * x_b) *
 * x_a; before, and on sparse matrices always, it was (x_a * x_b) * x_c.
 */
#include "base/checked.h"
#include "base/strbuf.h"
#include "build/transformer.h"

/* Far beyond what anybody fits; a file of a few bytes must not become gigabytes. */
enum { max_terms = 1 << 20, max_factors = 1 << 23, max_degree = 1 << 16 };

typedef struct polynomial {
    uint32_t n;         /* input columns */
    uint32_t low, high; /* degrees; low >= 1 */
    bool interaction_only, bias;
    bool last_first; /* order of multiplication */
    uint32_t n_terms;
    size_t n_factors;
    uint32_t *start, *factors;
} polynomial;

/* The next combination of `degree` columns in lexicographic order; false after the last one. */
static bool next_combination(const polynomial *p, uint32_t *c, uint32_t degree)
{
    for (uint32_t i = degree; i-- > 0;) {
        uint32_t largest = p->interaction_only ? p->n - (degree - i) : p->n - 1;
        if (c[i] >= largest)
            continue;
        c[i]++;
        for (uint32_t k = i + 1; k < degree; k++)
            c[k] = p->interaction_only ? c[k - 1] + 1 : c[i];
        return true;
    }
    return false;
}

static bool first_combination(const polynomial *p, uint32_t *c, uint32_t degree)
{
    if (p->n == 0 || (p->interaction_only && degree > p->n))
        return false;
    for (uint32_t i = 0; i < degree; i++)
        c[i] = p->interaction_only ? i : 0;
    return true;
}

/* Number of combinations with or without replacement, up to max_terms + 1. */
static uint64_t count_combinations(const polynomial *p, uint32_t degree)
{
    uint64_t count = 1;
    for (uint32_t i = 1; i <= degree; i++) {
        uint64_t factor = p->interaction_only ? (p->n >= i ? p->n - i + 1 : 0)
                                              : (uint64_t)p->n + i - 1;
        count = count * factor / i;
        if (count > max_terms)
            return max_terms + 1;
        if (count == 0)
            return 0;
    }
    return count;
}

static ftl_status count_terms(polynomial *p, ftl_error *error)
{
    uint64_t terms = p->bias, factors = 0;
    for (uint32_t degree = p->low; degree <= p->high; degree++) {
        uint64_t count = count_combinations(p, degree);
        terms += count;
        factors += count * degree;
        if (count == 0)
            break;
        if (terms > max_terms || factors > max_factors)
            return FTL_FAIL(error, FTL_LIMIT,
                            "PolynomialFeatures multiplies out to more than %d columns",
                            (int)max_terms);
    }
    p->n_terms = (uint32_t)terms;
    p->n_factors = (size_t)factors;
    return FTL_OK;
}

static ftl_status make_terms(ftl_build *build, polynomial *p, ftl_error *error)
{
    uint32_t term = 0, at = 0;
    uint32_t *c = ftl_arena_array(build->scratch, (size_t)p->high + 1, sizeof *c);
    p->start = ftl_arena_array(build->arena, (size_t)p->n_terms + 1, sizeof *p->start);
    p->factors = ftl_arena_array(build->arena, p->n_factors, sizeof *p->factors);
    if (!c || !p->start || !p->factors)
        return FTL_OOM(error);
    if (p->bias)
        p->start[term++] = at;
    for (uint32_t degree = p->low; degree <= p->high && term < p->n_terms; degree++) {
        for (bool more = first_combination(p, c, degree); more;
             more = next_combination(p, c, degree)) {
            p->start[term++] = at;
            for (uint32_t i = 0; i < degree; i++)
                p->factors[at++] = p->last_first ? c[degree - 1 - i] : c[i];
        }
    }
    p->start[term] = at;
    return FTL_OK;
}

static ftl_status load(const ftl_estimator *e, const ftl_frame *in, polynomial *p, ftl_error *error)
{
    int64_t low = 0, high;
    *p = (polynomial){.n = in->n_columns,
                      .last_first = e->version >= FTL_SKLEARN(0, 22) && !in->sparse};
    FTL_TRY(ftl_attr_bool(e, "interaction_only", false, &p->interaction_only, error));
    FTL_TRY(ftl_attr_bool(e, "include_bias", true, &p->bias, error));
    if (ftl_node_is_none(ftl_attr(e, "_max_degree")))
        FTL_TRY(ftl_attr_int(e, "degree", 2, &high, error));
    else {
        FTL_TRY(ftl_attr_int(e, "_min_degree", 0, &low, error));
        FTL_TRY(ftl_attr_int(e, "_max_degree", 2, &high, error));
    }
    if (low < 0 || high < 0 || low > high || high > max_degree)
        return FTL_ATTR_FAIL(error, e, "degree", FTL_CORRUPT, "degrees %lld to %lld make no sense",
                             (long long)low, (long long)high);
    p->low = low < 1 ? 1 : (uint32_t)low;
    p->high = (uint32_t)high;
    return count_terms(p, error);
}

/* "x0^2 x1"; "1" for the bias. Factors of a column lie together, ascending or descending. */
static const char *term_name(ftl_build *build, const polynomial *p, const ftl_frame *in,
                             uint32_t term, ftl_strbuf *text)
{
    uint32_t from = p->start[term], to = p->start[term + 1], n = to - from;
    ftl_strbuf_clear(text);
    for (uint32_t i = 0; i < n;) {
        uint32_t column = p->factors[p->last_first ? to - 1 - i : from + i], power = 1;
        while (i + power < n &&
               p->factors[p->last_first ? to - 1 - i - power : from + i + power] == column)
            power++;
        ftl_strbuf_printf(text, "%s%s", i ? " " : "", in->columns[column].name);
        if (power > 1)
            ftl_strbuf_printf(text, "^%u", power);
        i += power;
    }
    if (n == 0)
        ftl_strbuf_putc(text, '1');
    return text->failed ? NULL : ftl_arena_string(build->arena, text->data, text->size);
}

static ftl_status emit_polynomial(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                  const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    polynomial p;
    uint32_t id;
    ftl_op *op = NULL;
    ftl_strbuf text;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(load(e, in, &p, error));
    FTL_TRY(make_terms(build, &p, error));
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_POLYNOMIAL, id, p.n_terms, &id, &op, error));
    op->u.polynomial = (ftl_polynomial_op){FTL_SIZED(start, p.start, (size_t)p.n_terms + 1),
                                           FTL_SIZED(factors, p.factors, p.n_factors)};
    FTL_TRY(ftl_frame_of_op(build, id, NULL, out, error));
    ftl_frame_form(in, out);
    if (in->sparse)
        FTL_TRY(ftl_frame_forget_zeros(build, in, out, error));
    ftl_strbuf_init(&text, build->account, 1 << 20);
    bool named = true;
    for (uint32_t i = 0; i < p.n_terms && named; i++) {
        out->columns[i].name = term_name(build, &p, in, i, &text);
        named = out->columns[i].name != NULL;
    }
    ftl_strbuf_free(&text);
    return named ? FTL_OK : FTL_OOM(error);
}

static const char *polynomial_detail(ftl_build *build, const ftl_estimator *e)
{
    polynomial p;
    const ftl_frame none = {0};
    if (load(e, &none, &p, NULL) != FTL_OK)
        return NULL;
    return ftl_arena_printf(build->arena, "degree %u%s%s", p.high,
                            p.interaction_only ? ", interactions only" : "",
                            p.bias ? "" : ", no bias");
}

const ftl_estimator_class ftl_polynomial_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "PolynomialFeatures", emit_polynomial,
                          .detail = polynomial_detail),
    {0},
};
