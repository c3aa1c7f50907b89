/* What compiled plans keep of operations: records, the texts of cells. */
#include "plan/plan.h"

void *ftl_keep_records(ftl_blob *blob, void *field, size_t count, const ftl_record *record)
{
    const char *from = *(const void *const *)field;
    char *to = ftl_blob_copy(blob, field, count, record->size);
    for (size_t i = 0; to && i < count; i++)
        ftl_record_copy(record, to + i * record->size, from + i * record->size);
    return to;
}

void ftl_keep_cells(ftl_blob *blob, ftl_cell *cells, size_t count)
{
    for (size_t i = 0; cells && i < count; i++) {
        ftl_cell *cell = &cells[i];
        bool text = cell->tag == FTL_CELL_STRING || cell->tag == FTL_CELL_MISSING;
        if (text && cell->size == 0) { /* a text all the same, and no address of the model */
            cell->u.text = ftl_blob_zero_data(blob, 1, 1);
            ftl_blob_ref(blob, &cell->u.text);
        } else if (text) {
            ftl_blob_borrow(blob, &cell->u.text, cell->size, 1);
        }
    }
}
