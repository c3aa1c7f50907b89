/* The validator's part for texts and what is counted in them. */
#include "model/validate.h"

static bool words_are_sound(const ftl_words *words)
{
    if (words->count == 0)
        return true;
    if (!words->text || !words->start)
        return false;
    for (uint32_t i = 0; i < words->count; i++) {
        if (words->start[i + 1] <= words->start[i]) /* the NUL at least */
            return false;
    }
    return true;
}

ftl_status ftl_validate_text(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error)
{
    (void)scratch;
    const ftl_text_op *text = &op->u.text;
    if (n != 1 || op->width != (text->n_hashes ? text->n_hashes : text->vocabulary.count) ||
        (text->n_hashes && text->vocabulary.count) || !text->estimator ||
        !words_are_sound(&text->vocabulary) || !words_are_sound(&text->stop_words))
        return FTL_INVALID(error, op, "a text step does not fit its vocabulary");
    if ((unsigned)text->analyzer > FTL_ANALYZER_CHAR_WB ||
        (unsigned)text->accents > FTL_ACCENTS_OLD_UNICODE || text->min_n == 0 ||
        text->max_n < text->min_n || op->dtype == FTL_DTYPE_SAME ||
        (text->analyzer == FTL_ANALYZER_WORD && !text->pattern && text->min_token == 0))
        return FTL_INVALID(error, op, "a text step is malformed");
    return FTL_OK;
}

ftl_status ftl_validate_tfidf(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error)
{
    (void)scratch;
    if (op->width != n || (op->u.tfidf.normalize && (unsigned)op->u.tfidf.norm >= FTL_NORM_COUNT))
        return FTL_INVALID(error, op, "a tf-idf step is malformed");
    return FTL_OK;
}
