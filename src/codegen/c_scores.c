/* Scores → probabilities, classes and votes. */
#include "codegen/c_code.h"

#include <stdio.h>

/* ---- LINK ------------------------------------------------------------------------------------ */

/* The type that a link computes in: float32 where both of its edges are. */
static bool link_narrow(const ftl_c_code *code, uint32_t id)
{
    return code->ops[id].is_f32 && code->ops[ftl_c_source(code, id)].is_f32;
}

static ftl_status check_link(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    bool narrow = link_narrow(code, id);
    (void)error;
    switch (ftl_c_op_at(code, id)->u.link.link) {
    case FTL_LINK_SOFTMAX:
    case FTL_LINK_SOFTMAX_PAIR:
    case FTL_LINK_LOGSUMEXP_SOFTMAX:
    case FTL_LINK_LOG_NORMALIZE:
    case FTL_LINK_EXP:
        code->uses |= narrow ? FTL_C_EXP_F32 : FTL_C_EXP_F64;
        break;
    case FTL_LINK_TANH:
        code->uses |= narrow ? FTL_C_TANH_F32 : FTL_C_TANH_F64;
        break;
    case FTL_LINK_SIGMOID:
    case FTL_LINK_SIGMOID_PAIR:
    case FTL_LINK_SIGMOID2_PAIR:
    case FTL_LINK_OVR:
    case FTL_LINK_OVR_UNIFORM:
        code->uses |= narrow ? FTL_C_LOGISTIC_F32 : FTL_C_LOGISTIC_F64;
        break;
    default:
        break;
    }
    return FTL_OK;
}

/*
 * Text in which T is the type, n the number of scores, F the ending of functions' names, and $ the
 * prefix: each as a word of its own between ` and `.
 */
static void link_text(ftl_c_code *code, uint32_t id, const char *text)
{
    bool narrow = link_narrow(code, id);
    for (const char *at; (at = strchr(text, '`')) != NULL; text = at + 2) {
        ftl_emit_bytes(code->out, text, (size_t)(at - text));
        if (at[1] == 'T')
            ftl_emit_text(code->out, narrow ? "float" : "double");
        else if (at[1] == 'F')
            ftl_emit_text(code->out, narrow ? "f" : "");
        else if (at[1] == 'E')
            ftl_emit_text(code->out, narrow ? "FLT" : "DBL");
        else if (at[1] == 'P')
            ftl_emit_text(code->out, code->prefix);
        else
            ftl_emitf(code->out, "%u", ftl_c_op_at(code, id)->segments[0].count);
    }
    ftl_emit_text(code->out, text);
}

static const char softmax[] = "    `T most = d[0], total = 0;\n"
                              "    for (k = 1; k < `n; k++)\n"
                              "        most = d[k] > most ? d[k] : most;\n"
                              "    for (k = 0; k < `n; k++)\n"
                              "        d[k] = `P_exp`F(d[k] - most);\n"
                              "    for (k = 0; k < `n; k++)\n"
                              "        total += d[k];\n"
                              "    for (k = 0; k < `n; k++)\n"
                              "        d[k] /= total;\n";

static const char softmax_pair[] = "    `T a = -d[0], b = d[0], most = b > a ? b : a, total = 0;\n"
                                   "    a = `P_exp`F(a - most);\n"
                                   "    b = `P_exp`F(b - most);\n"
                                   "    total += a;\n"
                                   "    total += b;\n"
                                   "    d[0] = a / total;\n"
                                   "    d[1] = b / total;\n";

static const char logsumexp[] = "    `T most = d[0], total = 0, shift;\n"
                                "    for (k = 1; k < `n; k++)\n"
                                "        most = d[k] > most ? d[k] : most;\n"
                                "    shift = isfinite(most) ? most : 0;\n"
                                "    for (k = 0; k < `n; k++)\n"
                                "        total += `P_exp`F(d[k] - shift);\n"
                                "    total = log`F(total) + shift;\n"
                                "    for (k = 0; k < `n; k++)\n"
                                "        d[k] = d[k] - total;\n";

static const char exponentials[] = "    for (k = 0; k < `n; k++)\n"
                                   "        d[k] = `P_exp`F(d[k]);\n";

static const char centered_log[] = "    `T total = 0;\n"
                                   "    for (k = 0; k < `n; k++)\n"
                                   "        total += log`F(d[k]);\n"
                                   "    total = exp`F(total / (`T)`n);\n"
                                   "    for (k = 0; k < `n; k++)\n"
                                   "        d[k] = log`F(d[k] / total);\n";

static const char samme[] = "    `T total = 0;\n"
                            "    for (k = 0; k < `n; k++)\n"
                            "        d[k] = log`F(d[k] < `E_EPSILON ? `E_EPSILON : d[k]);\n"
                            "    for (k = 0; k < `n; k++)\n"
                            "        total += d[k];\n"
                            "    total = (`T)(1.0 / (double)`n) * total;\n"
                            "    for (k = 0; k < `n; k++)\n"
                            "        d[k] = (`T)(`n - 1) * (d[k] - total);\n";

/* Links that are a function of each score. */
static const char *each_of(ftl_link link)
{
    switch (link) {
    case FTL_LINK_EXP:
        return "`P_exp`F(d[k])";
    case FTL_LINK_TANH:
        return "`P_tanh`F(d[k])";
    case FTL_LINK_SIGMOID:
    case FTL_LINK_SIGMOID_PAIR:
    case FTL_LINK_OVR:
    case FTL_LINK_OVR_UNIFORM:
        return "`P_logistic`F(d[k])";
    case FTL_LINK_SIGMOID2_PAIR:
        return "`P_logistic`F(2 * d[k])";
    case FTL_LINK_LOG:
        return "log`F(d[k])";
    case FTL_LINK_LOG_FINITE:
        return "log`F(d[k] == 0 ? `E_MIN : d[k])";
    case FTL_LINK_LOGIT:
        return "log`F(d[k] / (1 - d[k]))";
    case FTL_LINK_HALF_LOGIT:
        return "log`F(d[k] / (1 - d[k])) / 2";
    case FTL_LINK_HUBER_PAIR:
    case FTL_LINK_HUBER_OVR:
        return "((d[k] < -1 ? -1 : d[k] > 1 ? 1 : d[k]) + 1) / 2";
    case FTL_LINK_THIRD:
        return "d[k] / (3 * ((d[k] < 0 ? -d[k] : d[k]) + 1))";
    case FTL_LINK_NEGATE:
        return "-d[k]";
    default:
        return NULL;
    }
}

/* Divides by the sum. */
static void emit_finish(ftl_c_code *code, uint32_t id, ftl_link link)
{
    bool plain = link == FTL_LINK_OVR || link == FTL_LINK_NORMALIZE;
    bool uniform = link == FTL_LINK_OVR_UNIFORM || link == FTL_LINK_HUBER_OVR ||
                   link == FTL_LINK_NORMALIZE_UNIFORM;
    if (!plain && !uniform && link != FTL_LINK_NORMALIZE_ZERO)
        return;
    link_text(code, id, "    for (k = 0; k < `n; k++)\n        total += d[k];\n");
    if (uniform)
        link_text(code, id,
                  "    if (total == 0) {\n        for (k = 0; k < `n; k++)\n            d[k] = 1;\n"
                  "        total = (`T)`n;\n    }\n");
    link_text(code, id,
              plain || uniform ? "    for (k = 0; k < `n; k++)\n        d[k] /= total;\n"
                               : "    for (k = 0; total != 0 && k < `n; k++)\n"
                                 "        d[k] /= total;\n");
}

static bool divides(ftl_link link)
{
    return link == FTL_LINK_OVR || link == FTL_LINK_NORMALIZE || link == FTL_LINK_OVR_UNIFORM ||
           link == FTL_LINK_HUBER_OVR || link == FTL_LINK_NORMALIZE_UNIFORM ||
           link == FTL_LINK_NORMALIZE_ZERO;
}

static void emit_each(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    ftl_link link = op->u.link.link;
    const char *each = each_of(link);
    if (divides(link))
        link_text(code, id, "    `T total = 0;\n");
    if (each) {
        link_text(code, id, "    for (k = 0; k < `n; k++)\n        d[k] = ");
        link_text(code, id, each);
        ftl_emit_text(code->out, ";\n");
    }
    if (op->width == op->segments[0].count)
        emit_finish(code, id, link);
    else
        ftl_emit_text(code->out, "    d[1] = d[0];\n    d[0] = 1 - d[1];\n");
}

/* Votes of pairs of classes and, below a third, the sum of scores. */
static void emit_pairs(ftl_c_code *code, uint32_t id)
{
    uint32_t classes = ftl_c_op_at(code, id)->width;
    link_text(code, id, "    `T score[`n];\n");
    ftl_emitf(code->out,
              "    int votes[%u] = {0}, i, j, pair = 0;\n"
              "    memcpy(score, d, sizeof score);\n"
              "    for (k = 0; k < %u; k++)\n        d[k] = 0;\n"
              "    for (i = 0; i < %u; i++)\n        for (j = i + 1; j < %u; j++, pair++) {\n"
              "            d[i] += score[pair];\n            d[j] -= score[pair];\n"
              "            votes[score[pair] < 0 ? j : i]++;\n        }\n"
              "    for (k = 0; k < %u; k++) {\n",
              classes, classes, classes, classes, classes);
    link_text(code, id,
              "        `T size = d[k] < 0 ? -d[k] : d[k];\n"
              "        d[k] = (`T)votes[k] + d[k] / (3 * (size + 1));\n    }\n");
}

static const char *whole_link(ftl_link link)
{
    switch (link) {
    case FTL_LINK_SOFTMAX:
        return softmax;
    case FTL_LINK_SOFTMAX_PAIR:
        return softmax_pair;
    case FTL_LINK_LOGSUMEXP_SOFTMAX:
    case FTL_LINK_LOG_NORMALIZE:
        return logsumexp;
    case FTL_LINK_CENTERED_LOG:
        return centered_log;
    case FTL_LINK_SAMME:
        return samme;
    default:
        return NULL;
    }
}

/* The scores are in d; what replaces them there, in a block of its own for its variables. */
static void write_link(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    ftl_link link = op->u.link.link;
    uint32_t n = op->segments[0].count, room = n > op->width ? n : op->width;
    const char *whole = whole_link(link);
    link_text(code, id, "    `T d[");
    ftl_emitf(code->out,
              "%u];\n    int k;\n    for (k = 0; k < %u; k++)\n        d[k] = v%u[k];\n    {\n",
              room ? room : 1, n, ftl_c_source_slot(code, id));
    if (link == FTL_LINK_ONE_VERSUS_ONE)
        emit_pairs(code, id);
    else if (whole)
        link_text(code, id, whole);
    else
        emit_each(code, id);
    if (link == FTL_LINK_LOGSUMEXP_SOFTMAX)
        link_text(code, id, exponentials);
    ftl_emitf(code->out, "    }\n    for (k = 0; k < %u; k++)\n        out[k] = %sd[k];\n",
              op->width, code->ops[id].is_f32 ? "(float)" : "");
}

const ftl_c_writer ftl_c_link = {.check = check_link, .body = write_link};

/* ---- DECIDE ---------------------------------------------------------------------------------- */

static void write_decide(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    uint32_t n = op->segments[0].count, slot = ftl_c_source_slot(code, id);
    const char *real = ftl_c_real(code, id);
    if (op->u.decide.rule == FTL_DECIDE_ARGMAX) {
        ftl_emitf(code->out,
                  "    int best = 0, k;\n"
                  "    for (k = 1; k < %u && v%u[best] == v%u[best]; k++)\n"
                  "        best = v%u[k] <= v%u[best] ? best : k;\n    out[0] = (%s)best;\n",
                  n, slot, slot, slot, slot, real);
    } else if (op->u.decide.rule == FTL_DECIDE_VOTE) {
        uint32_t classes = ftl_pairs_classes(n);
        ftl_emitf(
            code->out,
            "    int votes[%u] = {0}, best = 0, pair = 0, i, j;\n"
            "    for (i = 0; i < %u; i++)\n        for (j = i + 1; j < %u; j++)\n"
            "            votes[v%u[pair++] > 0 ? i : j]++;\n"
            "    for (i = 1; i < %u; i++)\n        best = votes[i] > votes[best] ? i : best;\n"
            "    out[0] = (%s)best;\n",
            classes, classes, classes, slot, classes, real);
    } else {
        ftl_emitf(code->out,
                  "    int k;\n    for (k = 0; k < %u; k++)\n        out[k] = v%u[k] %s 0;\n",
                  op->width, slot, op->u.decide.rule == FTL_DECIDE_POSITIVE ? ">" : ">=");
    }
}

const ftl_c_writer ftl_c_decide = {.body = write_decide};
