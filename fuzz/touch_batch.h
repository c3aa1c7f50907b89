/* Looks at every value of a converted batch, as sinks and sessions do. */
#ifndef FTL_FUZZ_TOUCH_BATCH_H
#define FTL_FUZZ_TOUCH_BATCH_H

#include "base/column.h"
#include "table/table.h"

#include <stdlib.h>

static inline size_t touch_batch(const ftl_row_batch *batch)
{
    ftl_row_view view;
    size_t sum = 0;
    ftl_row_batch_view(batch, &view);
    for (size_t i = 0; i < view.batch.n_columns; i++) {
        if (ftl_column_check(&view.batch.columns[i], view.batch.rows, NULL) != FTL_OK)
            abort();
        for (size_t row = 0; row < view.batch.rows; row++) {
            const ftl_column *column = &view.batch.columns[i];
            size_t index, size = 0;
            if (!ftl_column_find(&column, row, &index))
                continue;
            if (ftl_type_is_text(column->type)) {
                const char *text = ftl_column_text(column, index, &size);
                for (size_t k = 0; k < size; k++)
                    sum += (unsigned char)text[k];
            } else {
                sum += ftl_column_number(column, index) > 0;
            }
        }
    }
    return sum;
}

#endif
