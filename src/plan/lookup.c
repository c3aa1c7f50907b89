#include "plan/lookup.h"

#include "base/cell_text.h"
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

static bool same_text(const ftl_lookup *lookup, uint32_t category, const char *text, size_t size)
{
    uint32_t from = lookup->start[category];
    return lookup->start[category + 1] - from == size &&
           (size == 0 || memcmp(lookup->text + from, text, size) == 0);
}

static int32_t find_text(const ftl_lookup *lookup, const char *text, size_t size)
{
    const ftl_lookup_table *table = &lookup->texts;
    uint32_t at = (uint32_t)ftl_hash_bytes(lookup->seed, text, size) & table->mask;
    for (; table->slots[at]; at = (at + 1) & table->mask) {
        if (same_text(lookup, table->slots[at] - 1, text, size))
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

/* Integers that float64 would round are told apart. */
static bool same_integer(const ftl_lookup *lookup, uint32_t category, int64_t value)
{
    if (lookup->is_integer[category])
        return lookup->integers[category] == value;
    return lookup->numbers[category] == (double)value;
}

static int32_t find_integer(const ftl_lookup *lookup, int64_t value)
{
    const ftl_lookup_table *table = &lookup->values;
    if (!lookup->integers)
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

/*
 * What a text is among numbers, by the rule of number columns (base/cell_text.h): a bool, an
 * integer that keeps all its digits, or a float.
 */
static int32_t find_text_as_number(const ftl_lookup *lookup, const char *text, size_t size)
{
    double value;
    int64_t integer;
    bool truth;
    ftl_text_trim(&text, &size);
    if (ftl_text_to_bool(text, size, &truth))
        return find_integer(lookup, truth);
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
        int32_t found = cell->size && lookup->text ? find_text(lookup, cell->u.text, cell->size)
                                                   : FTL_LOOKUP_NOT_FOUND;
        return found != FTL_LOOKUP_NOT_FOUND ? found : lookup->missing;
    }
    case FTL_CELL_INT:
    case FTL_CELL_BOOL:
        return lookup->has_numbers ? find_integer(lookup, cell->u.integer) : FTL_LOOKUP_NOT_FOUND;
    case FTL_CELL_FLOAT:
        return ftl_lookup_number(lookup, cell->u.number);
    default: {
        int32_t found = lookup->text ? find_text(lookup, cell->u.text, cell->size)
                                     : FTL_LOOKUP_NOT_FOUND;
        if (found != FTL_LOOKUP_NOT_FOUND || !lookup->has_numbers)
            return found;
        return find_text_as_number(lookup, cell->u.text, cell->size);
    }
    }
}

/* ---- Making tables --------------------------------------------------------------------------- */

typedef struct counts {
    uint32_t texts, values;
    bool integers;
    size_t text_size;
} counts;

static ftl_status new_table(ftl_lookup_table *table, uint32_t **slots, uint32_t count,
                            ftl_blob *blob, ftl_error *error)
{
    uint64_t size = 4;
    while (size < 2 * (uint64_t)count)
        size *= 2;
    *slots = ftl_blob_zero_data(blob, size, sizeof **slots);
    if (!*slots)
        return FTL_OOM(error);
    *table = (ftl_lookup_table){.mask = (uint32_t)(size - 1), .slots = *slots};
    ftl_blob_ref(blob, &table->slots);
    return FTL_OK;
}

static void insert(const ftl_lookup_table *table, uint32_t *slots, uint64_t hash, uint32_t category)
{
    uint32_t at = (uint32_t)hash & table->mask;
    while (slots[at])
        at = (at + 1) & table->mask;
    slots[at] = category + 1;
}

/* The categories' texts, one behind the other. */
static ftl_status copy_texts(ftl_lookup *lookup, const ftl_categories *categories, const counts *n,
                             ftl_blob *blob, ftl_error *error)
{
    if (n->text_size > UINT32_MAX)
        return FTL_FAIL(error, FTL_LIMIT, "the categories of a column have more than 4 GB of text");
    char *text = ftl_blob_data(blob, n->text_size, 1);
    uint32_t *start = ftl_blob_data(blob, (size_t)categories->count + 1, sizeof *start), at = 0;
    if (!text || !start)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < categories->count; i++) {
        const ftl_cell *cell = &categories->cells[i];
        start[i] = at;
        if (cell->tag != FTL_CELL_STRING || cell->size == 0)
            continue;
        memcpy(text + at, cell->u.text, cell->size);
        at += cell->size;
    }
    start[categories->count] = at;
    lookup->text = text;
    lookup->start = start;
    ftl_blob_ref(blob, &lookup->text);
    ftl_blob_ref(blob, &lookup->start);
    return FTL_OK;
}

static ftl_status copy_integers(ftl_lookup *lookup, const ftl_categories *categories,
                                ftl_blob *blob, ftl_error *error)
{
    int64_t *integers = ftl_blob_zero_data(blob, categories->count, sizeof *integers);
    uint8_t *flags = ftl_blob_zero_data(blob, categories->count, sizeof *flags);
    if (!integers || !flags)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < categories->count; i++) {
        if (!ftl_cell_is_integer(&categories->cells[i]))
            continue;
        integers[i] = categories->cells[i].u.integer;
        flags[i] = 1;
    }
    lookup->integers = integers;
    lookup->is_integer = flags;
    ftl_blob_ref(blob, &lookup->integers);
    ftl_blob_ref(blob, &lookup->is_integer);
    return FTL_OK;
}

static ftl_status copy_cells(ftl_lookup *lookup, const ftl_categories *categories, counts *n,
                             ftl_blob *blob, ftl_error *error)
{
    double *numbers = ftl_blob_data(blob, categories->count, sizeof *numbers);
    if (!numbers)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < categories->count; i++) {
        const ftl_cell *cell = &categories->cells[i];
        numbers[i] = ftl_cell_number(cell);
        n->values += isnan(numbers[i]) ? 0u : 1u;
        n->integers = n->integers || ftl_cell_is_integer(cell);
        n->texts += cell->tag == FTL_CELL_STRING ? 1u : 0u;
        n->text_size += cell->tag == FTL_CELL_STRING ? cell->size : 0u;
    }
    lookup->numbers = numbers;
    ftl_blob_ref(blob, &lookup->numbers);
    if (n->integers)
        FTL_TRY(copy_integers(lookup, categories, blob, error));
    return n->texts ? copy_texts(lookup, categories, n, blob, error) : FTL_OK;
}

/* The first of equal categories counts; equal ones after it would only lengthen the search. */
static void fill_tables(ftl_lookup *lookup, const ftl_categories *categories, uint32_t *texts,
                        uint32_t *values)
{
    for (uint32_t i = 0; i < categories->count; i++) {
        const ftl_cell *cell = categories->numeric ? NULL : &categories->cells[i];
        double number = lookup->numbers[i];
        if (cell && cell->tag == FTL_CELL_STRING) {
            if (find_text(lookup, cell->u.text, cell->size) == FTL_LOOKUP_NOT_FOUND)
                insert(&lookup->texts, texts,
                       ftl_hash_bytes(lookup->seed, cell->u.text, cell->size), i);
        } else if (!isnan(number)) {
            int32_t found = cell && ftl_cell_is_integer(cell)
                                ? find_integer(lookup, cell->u.integer)
                                : find_value(lookup, number);
            if (found == FTL_LOOKUP_NOT_FOUND)
                insert(&lookup->values, values, hash_number(lookup->seed, number), i);
        } else
            lookup->missing = (int32_t)i;
    }
}

ftl_status ftl_lookup_init(ftl_lookup *lookup, const ftl_categories *categories, ftl_blob *blob,
                           ftl_error *error)
{
    uint32_t *texts = NULL, *values = NULL;
    counts n = {0};
    memset(lookup, 0, sizeof *lookup);
    lookup->missing = FTL_LOOKUP_NOT_FOUND;
    lookup->seed = ftl_hash_mix(blob->seed ^ blob->n_pieces, 0xe7037ed1a0b428dbu);
    if (categories->numeric) {
        lookup->numbers = categories->numbers;
        for (uint32_t i = 0; i < categories->count; i++)
            n.values += isnan(lookup->numbers[i]) ? 0u : 1u;
        ftl_blob_borrow(blob, &lookup->numbers, categories->count, sizeof *lookup->numbers);
    } else {
        FTL_TRY(copy_cells(lookup, categories, &n, blob, error));
    }
    lookup->has_numbers = n.values > 0;
    FTL_TRY(new_table(&lookup->texts, &texts, n.texts, blob, error));
    FTL_TRY(new_table(&lookup->values, &values, n.values, blob, error));
    fill_tables(lookup, categories, texts, values);
    return FTL_OK;
}

void ftl_lookup_share(ftl_lookup *lookup, const ftl_lookup *from, ftl_blob *blob)
{
    *lookup = *from;
    ftl_blob_ref(blob, &lookup->text);
    ftl_blob_ref(blob, &lookup->start);
    ftl_blob_ref(blob, &lookup->numbers);
    ftl_blob_ref(blob, &lookup->integers);
    ftl_blob_ref(blob, &lookup->is_integer);
    ftl_blob_ref(blob, &lookup->texts.slots);
    ftl_blob_ref(blob, &lookup->values.slots);
}
