/* What descriptions do not say of links and decisions. */
#include "model/validate.h"

ftl_status ftl_check_link(const ftl_proof *proof, ftl_error *error)
{
    const ftl_op *op = proof->op;
    const uint32_t n = proof->columns;
    switch (op->u.link.link) {
    case FTL_LINK_SIGMOID_PAIR:
    case FTL_LINK_SIGMOID2_PAIR:
    case FTL_LINK_SOFTMAX_PAIR:
    case FTL_LINK_HUBER_PAIR:
    case FTL_LINK_PAIR:
        if (n != 1 || op->width != 2)
            return FTL_INVALID(error,
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
    case FTL_LINK_LOG_FINITE:
        if (n == 0 || op->width != n)
            return FTL_INVALID(error, "a link of %u scores yields %u columns", n, op->width);
        return FTL_OK;
    case FTL_LINK_ONE_VERSUS_ONE:
        if (ftl_pairs(op->width) != n)
            return FTL_INVALID(error, "%u scores of pairs for %u classes", n, op->width);
        return FTL_OK;
    default:
        return FTL_INVALID(error, "a link is of unknown kind");
    }
}

ftl_status ftl_check_decide(const ftl_proof *proof, ftl_error *error)
{
    const ftl_op *op = proof->op;
    const uint32_t n = proof->columns;
    bool one = op->u.decide.rule == FTL_DECIDE_ARGMAX || op->u.decide.rule == FTL_DECIDE_VOTE;
    if (op->u.decide.rule == FTL_DECIDE_VOTE && ftl_pairs(ftl_pairs_classes(n)) != n)
        return FTL_INVALID(error, "%u scores are not those of all pairs of classes", n);
    if (op->width != (one ? 1 : n))
        return FTL_INVALID(error, "a decision on %u scores yields %u columns", n, op->width);
    return FTL_OK;
}
