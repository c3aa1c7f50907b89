/* JSON: every token of any bytes; what was copied of a text is no longer than the text. */
#include "io/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(ftl_json *json, ftl_arena *arena)
{
    const char *text;
    size_t n = 0;
    double number;
    int64_t integer;
    if (ftl_json_copy(json, arena, &text, &n, NULL) == FTL_OK &&
        (n > json->text_size || (n == json->text_size && json->escaped)))
        abort();
    (void)ftl_json_is(json, "learner");
    bool numeric = ftl_json_f64(json, &number, NULL) == FTL_OK;
    if (numeric != (json->token == FTL_JSON_NUMBER))
        abort();
    if (ftl_json_i64(json, &integer, NULL) == FTL_OK && !numeric)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ftl_account account;
    ftl_arena arena;
    ftl_json json;
    ftl_json_token token;
    ftl_account_init(&account, NULL, 0);
    ftl_arena_init(&arena, &account);
    ftl_json_init(&json, (const char *)data, size, size & 1 ? FTL_JSON_NONFINITE : 0);
    for (size_t i = 0; ftl_json_next(&json, &token, NULL) == FTL_OK && token != FTL_JSON_DONE;
         i++) {
        if (json.depth > FTL_JSON_MAX_DEPTH || json.at > size || i > size)
            abort();
        use(&json, &arena);
        if (i % 7 == 3 && ftl_json_skip(&json, NULL) != FTL_OK)
            break;
    }
    ftl_arena_free(&arena);
    return 0;
}
