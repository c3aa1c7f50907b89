/*
 * The links for one float type; included with LINK_T (float, double), LINK_NAME(name), LINK_EXP,
 * LINK_LOG, LINK_EPSILON and LINK_TINY defined. Everything is computed in the edge's own type, as
 * numpy does, so that underflow to zero happens where it does there. Exponentials of a whole block
 * are computed together, by the kernels; what takes one of a row, or logarithms, asks the C
 * library.
 *
 * in: [rows][n], out: [rows][width], apart; width is 2 for the pairs (n is 1), else n.
 */

static LINK_T LINK_NAME(huber)(LINK_T d)
{
    LINK_T clipped = d < -1 ? -1 : d > 1 ? 1 : d;
    return (clipped + 1) / 2;
}

static LINK_T LINK_NAME(sum)(const LINK_T *row, size_t n)
{
    LINK_T total = 0;
    for (size_t k = 0; k < n; k++)
        total += row[k];
    return total;
}

static void LINK_NAME(divide)(LINK_T *row, size_t n, LINK_T by)
{
    for (size_t k = 0; k < n; k++)
        row[k] /= by;
}

/* Divides by the sum; a row of zeros becomes uniform when so asked, else NaN. */
static void LINK_NAME(normalize)(LINK_T *row, size_t n, bool uniform)
{
    LINK_T total = LINK_NAME(sum)(row, n);
    if (uniform && total == 0) {
        for (size_t k = 0; k < n; k++)
            row[k] = 1;
        total = (LINK_T)n;
    }
    LINK_NAME(divide)(row, n, total);
}

static LINK_T LINK_NAME(largest)(const LINK_T *d, size_t n)
{
    LINK_T largest = d[0];
    for (size_t k = 1; k < n; k++)
        largest = d[k] > largest ? d[k] : largest;
    return largest;
}

/* In place. */
static void LINK_NAME(softmax)(size_t rows, size_t n, LINK_T *out)
{
    for (size_t r = 0; r < rows; r++) {
        LINK_T largest = LINK_NAME(largest)(out + r * n, n);
        for (size_t k = 0; k < n; k++)
            out[r * n + k] -= largest;
    }
    LINK_VMATH(exp)(rows * n, out, out);
    for (size_t r = 0; r < rows; r++)
        LINK_NAME(divide)(out + r * n, n, LINK_NAME(sum)(out + r * n, n));
}

/* d - logsumexp(d), or its exponential. */
static void LINK_NAME(logsumexp)(size_t rows, size_t n, const LINK_T *in, bool logarithms,
                                 LINK_T *out)
{
    for (size_t r = 0; r < rows; r++) {
        const LINK_T *d = in + r * n;
        LINK_T largest = LINK_NAME(largest)(d, n);
        for (size_t k = 0; k < n; k++)
            out[r * n + k] = d[k] - (isfinite(largest) ? largest : 0);
    }
    LINK_VMATH(exp)(rows * n, out, out);
    for (size_t r = 0; r < rows; r++) {
        const LINK_T *d = in + r * n;
        LINK_T largest = LINK_NAME(largest)(d, n);
        LINK_T logsumexp = LINK_LOG(LINK_NAME(sum)(out + r * n, n)) +
                           (isfinite(largest) ? largest : 0);
        for (size_t k = 0; k < n; k++)
            out[r * n + k] = d[k] - logsumexp;
    }
    if (!logarithms)
        LINK_VMATH(exp)(rows * n, out, out);
}

/* The first `rows` of out are p: each becomes 1 - p and p, from the last on. */
static void LINK_NAME(pairs)(size_t rows, LINK_T *out)
{
    for (size_t r = rows; r-- > 0;) {
        LINK_T p = out[r];
        out[2 * r] = 1 - p;
        out[2 * r + 1] = p;
    }
}

static void LINK_NAME(softmax_pairs)(size_t rows, const LINK_T *d, LINK_T *out)
{
    for (size_t r = 0; r < rows; r++) {
        out[2 * r] = -d[r];
        out[2 * r + 1] = d[r];
    }
    LINK_NAME(softmax)(rows, 2, out);
}

static LINK_T LINK_NAME(one)(ftl_link link, LINK_T d)
{
    switch (link) {
    case FTL_LINK_LOG:
        return LINK_LOG(d);
    case FTL_LINK_LOG_FINITE:
        return LINK_LOG(d == 0 ? LINK_TINY : d);
    case FTL_LINK_LOGIT:
        return LINK_LOG(d / (1 - d));
    case FTL_LINK_HALF_LOGIT:
        return LINK_LOG(d / (1 - d)) / 2;
    case FTL_LINK_HUBER_PAIR:
    case FTL_LINK_HUBER_OVR:
        return LINK_NAME(huber)(d);
    case FTL_LINK_SIGMOID2_PAIR:
        return 2 * d;
    case FTL_LINK_THIRD:
        return d / (3 * ((d < 0 ? -d : d) + 1));
    case FTL_LINK_NEGATE:
        return -d;
    default:
        return d;
    }
}

static void LINK_NAME(centered_log)(const LINK_T *p, size_t n, LINK_T *out)
{
    LINK_T sum = 0;
    for (size_t k = 0; k < n; k++)
        sum += LINK_LOG(p[k]);
    LINK_T mean = LINK_EXP(sum / (LINK_T)n);
    for (size_t k = 0; k < n; k++)
        out[k] = LINK_LOG(p[k] / mean);
}

/* A class's share of AdaBoost's SAMME.R, of a model's probabilities. */
static void LINK_NAME(samme)(const LINK_T *p, size_t n, LINK_T *out)
{
    for (size_t k = 0; k < n; k++)
        out[k] = LINK_LOG(p[k] < LINK_EPSILON ? LINK_EPSILON : p[k]);
    LINK_T mean = (LINK_T)(1.0 / (double)n) * LINK_NAME(sum)(out, n);
    for (size_t k = 0; k < n; k++)
        out[k] = (LINK_T)(n - 1) * (out[k] - mean);
}

/* A third of a vote is what the sum of scores stays below. */
static void LINK_NAME(one_versus_one)(const LINK_T *d, size_t n, LINK_T *out)
{
    size_t classes = ftl_pairs_classes((uint32_t)n), pair = 0;
    for (size_t k = 0; k < classes; k++)
        out[k] = 0;
    for (size_t i = 0; i < classes; i++) {
        for (size_t j = i + 1; j < classes; j++, pair++) {
            out[i] += d[pair];
            out[j] -= d[pair];
        }
    }
    for (size_t k = 0; k < classes; k++) {
        size_t votes = 0;
        pair = 0;
        for (size_t i = 0; i < classes; i++) {
            for (size_t j = i + 1; j < classes; j++, pair++)
                votes += (d[pair] < 0 ? j : i) == k;
        }
        LINK_T size = out[k] < 0 ? -out[k] : out[k];
        out[k] = (LINK_T)votes + out[k] / (3 * (size + 1));
    }
}

/* Links of each number by itself. */
static void LINK_NAME(each)(ftl_link link, size_t n, const LINK_T *d, LINK_T *out)
{
    switch (link) {
    case FTL_LINK_EXP:
        LINK_VMATH(exp)(n, d, out);
        return;
    case FTL_LINK_TANH:
        LINK_VMATH(tanh)(n, d, out);
        return;
    case FTL_LINK_SIGMOID:
    case FTL_LINK_SIGMOID_PAIR:
    case FTL_LINK_OVR:
    case FTL_LINK_OVR_UNIFORM:
        LINK_VMATH(logistic)(n, d, out);
        return;
    default:
        for (size_t i = 0; i < n; i++)
            out[i] = LINK_NAME(one)(link, d[i]);
        if (link == FTL_LINK_SIGMOID2_PAIR)
            LINK_VMATH(logistic)(n, out, out);
    }
}

/* Links of a row's own numbers together. */
static void LINK_NAME(row)(ftl_link link, const LINK_T *d, size_t n, LINK_T *out)
{
    switch (link) {
    case FTL_LINK_CENTERED_LOG:
        LINK_NAME(centered_log)(d, n, out);
        return;
    case FTL_LINK_SAMME:
        LINK_NAME(samme)(d, n, out);
        return;
    default:
        LINK_NAME(one_versus_one)(d, n, out);
    }
}

/* What is done to a row when its numbers are there. */
static void LINK_NAME(finish)(ftl_link link, LINK_T *row, size_t n)
{
    if (link == FTL_LINK_OVR || link == FTL_LINK_NORMALIZE)
        LINK_NAME(normalize)(row, n, false);
    else if (link == FTL_LINK_OVR_UNIFORM || link == FTL_LINK_HUBER_OVR ||
             link == FTL_LINK_NORMALIZE_UNIFORM)
        LINK_NAME(normalize)(row, n, true);
    else if (link == FTL_LINK_NORMALIZE_ZERO && LINK_NAME(sum)(row, n) != 0)
        LINK_NAME(normalize)(row, n, false);
}

static void LINK_NAME(block)(const ftl_op *op, size_t rows, const LINK_T *in, LINK_T *out)
{
    ftl_link link = op->u.link.link;
    size_t n = op->segments[0].count;
    switch (link) {
    case FTL_LINK_SOFTMAX:
        memcpy(out, in, rows * n * sizeof *in);
        LINK_NAME(softmax)(rows, n, out);
        return;
    case FTL_LINK_SOFTMAX_PAIR:
        LINK_NAME(softmax_pairs)(rows, in, out);
        return;
    case FTL_LINK_LOGSUMEXP_SOFTMAX:
    case FTL_LINK_LOG_NORMALIZE:
        LINK_NAME(logsumexp)(rows, n, in, link == FTL_LINK_LOG_NORMALIZE, out);
        return;
    case FTL_LINK_CENTERED_LOG:
    case FTL_LINK_SAMME:
    case FTL_LINK_ONE_VERSUS_ONE:
        for (size_t r = 0; r < rows; r++)
            LINK_NAME(row)(link, in + r * n, n, out + r * op->width);
        return;
    default:
        LINK_NAME(each)(link, rows * n, in, out);
        if (op->width == n) {
            for (size_t r = 0; r < rows; r++)
                LINK_NAME(finish)(link, out + r * n, n);
        } else
            LINK_NAME(pairs)(rows, out);
    }
}
