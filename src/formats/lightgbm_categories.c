/*
 * pandas_categorical of LightGBM's text models: a JSON list that holds, for every category column
 * of the data frame that was fitted, the list of its categories. A code is a place in that list.
 */
#include "formats/lightgbm.h"
#include "io/json.h"

/* Integers stay exact; those beyond int64 are their decimal digits, as a table has them. */
static ftl_status read_number(const ftl_json *json, ftl_arena *arena, ftl_lightgbm_list *list,
                              ftl_cell *out, ftl_error *error)
{
    static const int64_t exact = (int64_t)1 << 53;
    *out = (ftl_cell){.tag = FTL_CELL_INT};
    if (ftl_json_i64(json, &out->u.integer, NULL) == FTL_OK) {
        list->large = list->large || out->u.integer > exact || out->u.integer < -exact;
        return FTL_OK;
    }
    *out = (ftl_cell){.tag = FTL_CELL_FLOAT};
    FTL_TRY(ftl_json_f64(json, &out->u.number, error));
    for (size_t i = 0; i < json->text_size; i++) {
        if (json->text[i] < '0' || json->text[i] > '9' || json->text_size > 20)
            return FTL_OK;
    }
    const char *text = ftl_arena_string(arena, json->text, json->text_size);
    if (!text)
        return FTL_OOM(error);
    *out = (ftl_cell){.tag = FTL_CELL_STRING, .size = (uint32_t)json->text_size, .u.text = text};
    list->large = true;
    return FTL_OK;
}

static ftl_status read_cell(const ftl_json *json, ftl_arena *arena, ftl_lightgbm_list *list,
                            ftl_cell *out, ftl_error *error)
{
    const char *text = NULL;
    size_t size = 0;
    switch (json->token) {
    case FTL_JSON_STRING:
        FTL_TRY(ftl_json_copy(json, arena, &text, &size, error));
        if (size > UINT32_MAX)
            return FTL_FAIL(error, FTL_LIMIT, "a category is longer than 4 GiB");
        *out = (ftl_cell){.tag = FTL_CELL_STRING, .size = (uint32_t)size, .u.text = text};
        list->text = true;
        return FTL_OK;
    case FTL_JSON_NUMBER:
        list->number = true;
        return read_number(json, arena, list, out, error);
    case FTL_JSON_TRUE:
    case FTL_JSON_FALSE:
        *out = (ftl_cell){.tag = FTL_CELL_BOOL, .u.integer = json->token == FTL_JSON_TRUE};
        list->boolean = true;
        return FTL_OK;
    default:
        return FTL_FAIL(error, FTL_CORRUPT, "something stands where a category was expected");
    }
}

/* One pass: lists and cells may be NULL, then they are only counted. */
static ftl_status walk(const ftl_lightgbm *model, ftl_arena *arena, ftl_lightgbm_list *lists,
                       ftl_cell *cells, size_t *n_lists, size_t *n_cells, ftl_error *error)
{
    ftl_json json;
    ftl_json_token token;
    ftl_lightgbm_list list = {0};
    *n_lists = *n_cells = 0;
    ftl_json_init(&json, model->categories, model->categories_size, FTL_JSON_NONFINITE);
    FTL_TRY(ftl_json_next(&json, &token, error));
    if (token != FTL_JSON_ARRAY)
        return FTL_FAIL(error, FTL_CORRUPT, "it is no list");
    FTL_TRY(ftl_json_next(&json, &token, error));
    for (; token == FTL_JSON_ARRAY; (*n_lists)++) {
        list = (ftl_lightgbm_list){.cells = cells ? cells + *n_cells : NULL};
        FTL_TRY(ftl_json_next(&json, &token, error));
        for (; token != FTL_JSON_ARRAY_END; (*n_cells)++, list.count++) {
            if (cells)
                FTL_TRY(read_cell(&json, arena, &list, &cells[*n_cells], error));
            else if (token == FTL_JSON_ARRAY || token == FTL_JSON_OBJECT)
                return FTL_FAIL(error, FTL_CORRUPT, "a category is a list or an object");
            FTL_TRY(ftl_json_next(&json, &token, error));
        }
        if (lists)
            lists[*n_lists] = list;
        FTL_TRY(ftl_json_next(&json, &token, error));
    }
    if (token != FTL_JSON_ARRAY_END)
        return FTL_FAIL(error, FTL_CORRUPT, "something else than lists stands in it");
    return ftl_json_next(&json, &token, error);
}

ftl_status ftl_lightgbm_read_lists(ftl_arena *arena, const ftl_lightgbm *model,
                                   const ftl_lightgbm_list **out, uint32_t *count, ftl_error *error)
{
    size_t n_lists = 0, n_cells = 0;
    *count = 0;
    *out = NULL;
    if (!model->categories)
        return FTL_OK;
    FTL_TRY(walk(model, arena, NULL, NULL, &n_lists, &n_cells, error));
    if (n_lists > model->n_features || n_cells > INT32_MAX)
        return FTL_FAIL(error, FTL_CORRUPT, "it holds %zu lists for %u columns", n_lists,
                        model->n_features);
    ftl_lightgbm_list *lists = ftl_arena_zero_array(arena, n_lists, sizeof *lists);
    ftl_cell *cells = ftl_arena_zero_array(arena, n_cells, sizeof *cells);
    if (!lists || !cells)
        return FTL_OOM(error);
    FTL_TRY(walk(model, arena, lists, cells, &n_lists, &n_cells, error));
    *out = lists;
    *count = (uint32_t)n_lists;
    return FTL_OK;
}
