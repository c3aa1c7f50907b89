/*
 * The links for one float type; included with LINK_T (float, double), LINK_NAME(name), LINK_EXP,
 * LINK_LOG and LINK_EPSILON defined. Everything is computed in the edge's own type, as numpy does,
 * so that underflow to zero happens where it does there.
 *
 * in: [rows][n], out: [rows][width]; width is 2 for the pairs (n is 1), else n.
 */

static LINK_T LINK_NAME(sigmoid)(LINK_T d) { return 1 / (1 + LINK_EXP(-d)); }

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

static void LINK_NAME(softmax)(const LINK_T *d, size_t n, LINK_T *out)
{
    LINK_T largest = d[0];
    for (size_t k = 1; k < n; k++)
        largest = d[k] > largest ? d[k] : largest;
    for (size_t k = 0; k < n; k++)
        out[k] = LINK_EXP(d[k] - largest);
    LINK_NAME(divide)(out, n, LINK_NAME(sum)(out, n));
}

static LINK_T LINK_NAME(logsumexp)(const LINK_T *d, size_t n)
{
    LINK_T largest = d[0], total = 0;
    for (size_t k = 1; k < n; k++)
        largest = d[k] > largest ? d[k] : largest;
    if (!isfinite(largest))
        largest = 0;
    for (size_t k = 0; k < n; k++)
        total += LINK_EXP(d[k] - largest);
    return LINK_LOG(total) + largest;
}

static void LINK_NAME(logsumexp_softmax)(const LINK_T *d, size_t n, bool log, LINK_T *out)
{
    LINK_T logsumexp = LINK_NAME(logsumexp)(d, n);
    for (size_t k = 0; k < n; k++)
        out[k] = log ? d[k] - logsumexp : LINK_EXP(d[k] - logsumexp);
}

static void LINK_NAME(pair)(ftl_link link, LINK_T d, LINK_T *out)
{
    if (link == FTL_LINK_SOFTMAX_PAIR) {
        const LINK_T both[2] = {-d, d};
        LINK_NAME(softmax)(both, 2, out);
        return;
    }
    LINK_T p = link == FTL_LINK_HUBER_PAIR      ? LINK_NAME(huber)(d)
               : link == FTL_LINK_PAIR          ? d
               : link == FTL_LINK_SIGMOID2_PAIR ? LINK_NAME(sigmoid)(2 * d)
                                                : LINK_NAME(sigmoid)(d);
    out[0] = 1 - p;
    out[1] = p;
}

static LINK_T LINK_NAME(one)(ftl_link link, LINK_T d)
{
    switch (link) {
    case FTL_LINK_EXP:
        return LINK_EXP(d);
    case FTL_LINK_LOG:
        return LINK_LOG(d);
    case FTL_LINK_LOGIT:
        return LINK_LOG(d / (1 - d));
    case FTL_LINK_HALF_LOGIT:
        return LINK_LOG(d / (1 - d)) / 2;
    case FTL_LINK_HUBER_OVR:
        return LINK_NAME(huber)(d);
    case FTL_LINK_NORMALIZE:
    case FTL_LINK_NORMALIZE_UNIFORM:
    case FTL_LINK_NORMALIZE_ZERO:
        return d;
    case FTL_LINK_THIRD:
        return d / (3 * ((d < 0 ? -d : d) + 1));
    case FTL_LINK_NEGATE:
        return -d;
    default:
        return LINK_NAME(sigmoid)(d);
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

static void LINK_NAME(row)(ftl_link link, const LINK_T *d, size_t n, LINK_T *out)
{
    switch (link) {
    case FTL_LINK_SIGMOID_PAIR:
    case FTL_LINK_SIGMOID2_PAIR:
    case FTL_LINK_SOFTMAX_PAIR:
    case FTL_LINK_HUBER_PAIR:
    case FTL_LINK_PAIR:
        LINK_NAME(pair)(link, d[0], out);
        return;
    case FTL_LINK_SOFTMAX:
        LINK_NAME(softmax)(d, n, out);
        return;
    case FTL_LINK_LOGSUMEXP_SOFTMAX:
        LINK_NAME(logsumexp_softmax)(d, n, false, out);
        return;
    case FTL_LINK_LOG_NORMALIZE:
        LINK_NAME(logsumexp_softmax)(d, n, true, out);
        return;
    case FTL_LINK_CENTERED_LOG:
        LINK_NAME(centered_log)(d, n, out);
        return;
    case FTL_LINK_SAMME:
        LINK_NAME(samme)(d, n, out);
        return;
    case FTL_LINK_ONE_VERSUS_ONE:
        LINK_NAME(one_versus_one)(d, n, out);
        return;
    default:
        for (size_t k = 0; k < n; k++)
            out[k] = LINK_NAME(one)(link, d[k]);
        if (link == FTL_LINK_OVR || link == FTL_LINK_NORMALIZE)
            LINK_NAME(normalize)(out, n, false);
        else if (link == FTL_LINK_OVR_UNIFORM || link == FTL_LINK_HUBER_OVR ||
                 link == FTL_LINK_NORMALIZE_UNIFORM)
            LINK_NAME(normalize)(out, n, true);
        else if (link == FTL_LINK_NORMALIZE_ZERO && LINK_NAME(sum)(out, n) != 0)
            LINK_NAME(normalize)(out, n, false);
    }
}
