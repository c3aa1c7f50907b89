#include "plan/lookup.h"

#include "base/hash.h"
#include "base/number.h"

#include <math.h>
#include <string.h>

static uint64_t hash_number(uint64_t seed, double value)
{
    uint64_t bits;
    value += 0.0; /* -0.0 equals 0.0 */
    memcpy(&bits, &value, sizeof bits);
    return ftl_hash_number(seed, bits);
}

static bool same_text(const ftl_cell *a, const char *text, size_t size)
{
    return a->tag == FTL_CELL_STRING && a->size == size && memcmp(a->u.text, text, size) == 0;
}

static int32_t find_text(const ftl_lookup *lookup, const char *text, size_t size)
{
    const ftl_lookup_table *table = &lookup->texts;
    uint32_t at = (uint32_t)ftl_hash_bytes(lookup->seed, text, size) & table->mask;
    for (; table->slots[at]; at = (at + 1) & table->mask) {
        if (same_text(&lookup->cells[table->slots[at] - 1], text, size))
            return (int32_t)(table->slots[at] - 1);
    }
    return FTL_LOOKUP_NOT_FOUND;
}

static int32_t find_value(const ftl_lookup *lookup, double value)
{
    const ftl_lookup_table *table = &lookup->values;
    uint32_t at = (uint32_t)hash_number(lookup->seed, value) & table->mask;
    for (; table->slots[at]; at = (at + 1) & table->mask) {
        if (lookup->numbers[table->slots[at] - 1] == value)
            return (int32_t)(table->slots[at] - 1);
    }
    return FTL_LOOKUP_NOT_FOUND;
}

/* Integers that float64 would round are told apart by the cells. */
static bool same_integer(const ftl_lookup *lookup, uint32_t category, int64_t value)
{
    const ftl_cell *cell = &lookup->cells[category];
    if (cell->tag == FTL_CELL_INT || cell->tag == FTL_CELL_BOOL)
        return cell->u.integer == value;
    return lookup->numbers[category] == (double)value;
}

static int32_t find_integer(const ftl_lookup *lookup, int64_t value)
{
    const ftl_lookup_table *table = &lookup->values;
    if (!lookup->cells)
        return find_value(lookup, (double)value);
    uint32_t at = (uint32_t)hash_number(lookup->seed, (double)value) & table->mask;
    for (; table->slots[at]; at = (at + 1) & table->mask) {
        if (same_integer(lookup, table->slots[at] - 1, value))
            return (int32_t)(table->slots[at] - 1);
    }
    return FTL_LOOKUP_NOT_FOUND;
}

int32_t ftl_lookup_number(const ftl_lookup *lookup, double value)
{
    if (isnan(value))
        return lookup->missing;
    return lookup->has_numbers ? find_value(lookup, value) : FTL_LOOKUP_NOT_FOUND;
}

/* What a text is among numbers: a bool, an integer or a float, as Python would have read it. */
static int32_t find_text_as_number(const ftl_lookup *lookup, const char *text, size_t size)
{
    double value;
    int64_t integer;
    if (size == 4 && memcmp(text, "True", 4) == 0)
        return find_integer(lookup, 1);
    if (size == 5 && memcmp(text, "False", 5) == 0)
        return find_integer(lookup, 0);
    if (ftl_parse_i64(text, size, &integer))
        return find_integer(lookup, integer);
    return ftl_parse_f64(text, size, '.', &value) ? ftl_lookup_number(lookup, value)
                                                  : FTL_LOOKUP_NOT_FOUND;
}

int32_t ftl_lookup_cell(const ftl_lookup *lookup, const ftl_cell *cell)
{
    switch (cell->tag) {
    case FTL_CELL_MISSING: {
        /*
         * The text that stood in the cell may be a category of its own: "NA" among country codes.
         */
        int32_t found = cell->size && lookup->cells ? find_text(lookup, cell->u.text, cell->size)
                                                    : FTL_LOOKUP_NOT_FOUND;
        return found != FTL_LOOKUP_NOT_FOUND ? found : lookup->missing;
    }
    case FTL_CELL_INT:
    case FTL_CELL_BOOL:
        return lookup->has_numbers ? find_integer(lookup, cell->u.integer) : FTL_LOOKUP_NOT_FOUND;
    case FTL_CELL_FLOAT:
        return ftl_lookup_number(lookup, cell->u.number);
    default: {
        int32_t found = lookup->cells ? find_text(lookup, cell->u.text, cell->size)
                                      : FTL_LOOKUP_NOT_FOUND;
        if (found != FTL_LOOKUP_NOT_FOUND || !lookup->has_numbers)
            return found;
        return find_text_as_number(lookup, cell->u.text, cell->size);
    }
    }
}

/* ---- Making tables --------------------------------------------------------------------------- */

static ftl_status new_table(ftl_lookup_table *table, uint32_t **slots, uint32_t count,
                            ftl_arena *arena, ftl_error *error)
{
    uint32_t size = 4;
    while (size < 2 * count)
        size *= 2;
    *slots = ftl_arena_zero_array(arena, size, sizeof **slots);
    if (!*slots)
        return FTL_OOM(error);
    *table = (ftl_lookup_table){.mask = size - 1, .slots = *slots};
    return FTL_OK;
}

static void insert(const ftl_lookup_table *table, uint32_t *slots, uint64_t hash, uint32_t category)
{
    uint32_t at = (uint32_t)hash & table->mask;
    while (slots[at])
        at = (at + 1) & table->mask;
    slots[at] = category + 1;
}

static double number_of(const ftl_categories *categories, uint32_t i)
{
    if (categories->numeric)
        return categories->numbers[i];
    const ftl_cell *cell = &categories->cells[i];
    if (cell->tag == FTL_CELL_FLOAT)
        return cell->u.number;
    return cell->tag == FTL_CELL_INT || cell->tag == FTL_CELL_BOOL ? (double)cell->u.integer : NAN;
}

ftl_status ftl_lookup_init(ftl_lookup *lookup, const ftl_categories *categories, ftl_arena *arena,
                           ftl_error *error)
{
    uint32_t *texts = NULL, *values = NULL, n_texts = 0, n_values = 0;
    double *numbers = ftl_arena_array(arena, categories->count, sizeof *numbers);
    if (!numbers)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < categories->count; i++) {
        numbers[i] = number_of(categories, i);
        n_values += isnan(numbers[i]) ? 0u : 1u;
        n_texts += !categories->numeric && categories->cells[i].tag == FTL_CELL_STRING ? 1u : 0u;
    }
    *lookup = (ftl_lookup){
        .numbers = numbers, .missing = FTL_LOOKUP_NOT_FOUND, .has_numbers = n_values > 0};
    if (!categories->numeric)
        lookup->cells = categories->cells;
    FTL_TRY(new_table(&lookup->texts, &texts, n_texts, arena, error));
    FTL_TRY(new_table(&lookup->values, &values, n_values, arena, error));
    lookup->seed = ftl_hash_seed();
    for (uint32_t i = 0; i < categories->count; i++) {
        const ftl_cell *cell = categories->numeric ? NULL : &categories->cells[i];
        if (cell && cell->tag == FTL_CELL_STRING) {
            /*
             * The first of equal categories counts; equal ones after it would only lengthen the
             * search.
             */
            if (find_text(lookup, cell->u.text, cell->size) == FTL_LOOKUP_NOT_FOUND)
                insert(&lookup->texts, texts,
                       ftl_hash_bytes(lookup->seed, cell->u.text, cell->size), i);
        } else if (!isnan(numbers[i])) {
            bool integer = cell && cell->tag != FTL_CELL_FLOAT;
            int32_t found = integer ? find_integer(lookup, cell->u.integer)
                                    : find_value(lookup, numbers[i]);
            if (found == FTL_LOOKUP_NOT_FOUND)
                insert(&lookup->values, values, hash_number(lookup->seed, numbers[i]), i);
        } else
            lookup->missing = (int32_t)i;
    }
    return FTL_OK;
}
