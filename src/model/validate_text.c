/* What descriptions do not say of texts and what is counted in them. */
#include "model/validate.h"

/* Each word has its NUL at least, and that at its end. */
static bool words_are_sound(const ftl_words *words)
{
    for (uint32_t i = 0; i < words->count; i++) {
        if (words->start[i + 1] <= words->start[i] || words->text[words->start[i + 1] - 1] != '\0')
            return false;
    }
    return true;
}

ftl_status ftl_check_text(const ftl_proof *proof, ftl_error *error)
{
    const ftl_text_op *text = &proof->op->u.text;
    uint32_t width = text->n_hashes ? text->n_hashes : text->vocabulary.count;
    if (proof->columns != 1 || proof->op->width != width ||
        (text->n_hashes && text->vocabulary.count) || !words_are_sound(&text->vocabulary) ||
        !words_are_sound(&text->stop_words))
        return FTL_INVALID(error, "a text step does not fit its vocabulary");
    if (text->min_n == 0 || text->max_n < text->min_n ||
        (text->analyzer == FTL_ANALYZER_WORD && !text->pattern && text->min_token == 0))
        return FTL_INVALID(error, "a text step is malformed");
    if (!ftl_text_ngrams_fit(text))
        return FTL_FAIL(error, FTL_LIMIT, "a text step asks for n-grams of more than %d",
                        (int)FTL_MOST_NGRAM);
    return FTL_OK;
}
