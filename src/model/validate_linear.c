/* The validator's part for linear operations, links and decisions. */
#include "model/validate.h"

ftl_status ftl_validate_linear(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error)
{
    (void)scratch;
    if (op->width == 0 || (n > 0 && !op->u.linear.coef))
        return FTL_INVALID(error, op, "a linear step has no coefficients");
    return FTL_OK;
}

ftl_status ftl_validate_link(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error)
{
    (void)scratch;
    switch (op->u.link.link) {
    case FTL_LINK_SIGMOID_PAIR:
    case FTL_LINK_SIGMOID2_PAIR:
    case FTL_LINK_SOFTMAX_PAIR:
    case FTL_LINK_HUBER_PAIR:
    case FTL_LINK_PAIR:
        if (n != 1 || op->width != 2)
            return FTL_INVALID(error, op,
                               "probabilities of two classes are made of one score, not of %u", n);
        return FTL_OK;
    case FTL_LINK_SOFTMAX:
    case FTL_LINK_OVR:
    case FTL_LINK_LOGSUMEXP_SOFTMAX:
    case FTL_LINK_HUBER_OVR:
    case FTL_LINK_EXP:
    case FTL_LINK_LOG:
    case FTL_LINK_SIGMOID:
    case FTL_LINK_NORMALIZE:
    case FTL_LINK_OVR_UNIFORM:
    case FTL_LINK_LOGIT:
    case FTL_LINK_HALF_LOGIT:
    case FTL_LINK_CENTERED_LOG:
    case FTL_LINK_LOG_NORMALIZE:
    case FTL_LINK_NEGATE:
    case FTL_LINK_NORMALIZE_UNIFORM:
    case FTL_LINK_NORMALIZE_ZERO:
    case FTL_LINK_SAMME:
    case FTL_LINK_THIRD:
    case FTL_LINK_TANH:
        if (n == 0 || op->width != n)
            return FTL_INVALID(error, op, "a link of %u scores yields %u columns", n, op->width);
        return FTL_OK;
    case FTL_LINK_ONE_VERSUS_ONE:
        if (ftl_pairs(op->width) != n)
            return FTL_INVALID(error, op, "%u scores of pairs for %u classes", n, op->width);
        return FTL_OK;
    default:
        return FTL_INVALID(error, op, "a link is of unknown kind");
    }
}

ftl_status ftl_validate_decide(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error)
{
    (void)scratch;
    if ((unsigned)op->u.decide.rule >= FTL_DECIDE_COUNT || n == 0)
        return FTL_INVALID(error, op, "a decision is of unknown kind");
    bool one = op->u.decide.rule == FTL_DECIDE_ARGMAX || op->u.decide.rule == FTL_DECIDE_VOTE;
    if (op->u.decide.rule == FTL_DECIDE_VOTE && ftl_pairs(ftl_pairs_classes(n)) != n)
        return FTL_INVALID(error, op, "%u scores are not those of all pairs of classes", n);
    if (op->width != (one ? 1 : n))
        return FTL_INVALID(error, op, "a decision on %u scores yields %u columns", n, op->width);
    return FTL_OK;
}
