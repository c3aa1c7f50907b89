/*
 * The dictionaries of Arrow IPC data. A batch replaces its dictionary or, as a delta, goes on with
 * it; rows that were read before keep the dictionary that they were read with.
 */
#ifndef FTL_TABLE_ARROW_DICTIONARY_H
#define FTL_TABLE_ARROW_DICTIONARY_H

#include "table/arrow_batch.h"

typedef struct ftl_arrow_dictionary {
    bool wanted, seen;
    ftl_arrow_rows *values; /* one column; without rows as long as none was seen */
} ftl_arrow_dictionary;

/* Makes those of the wanted fields ready. out: [schema->n_dictionaries], zeroed. */
FTL_MUST_USE ftl_status ftl_arrow_dictionaries_init(ftl_account *account,
                                                    const ftl_arrow_schema *schema,
                                                    const size_t *wanted, size_t n_wanted,
                                                    ftl_arrow_dictionary *out, ftl_error *error);
void ftl_arrow_dictionaries_free(const ftl_arrow_schema *schema,
                                 ftl_arrow_dictionary *dictionaries);
/* Takes the source's last message, a dictionary batch. */
FTL_MUST_USE ftl_status ftl_arrow_dictionary_read(ftl_arrow_source *source,
                                                  const ftl_arrow_message *message,
                                                  const ftl_arrow_schema *schema,
                                                  ftl_arrow_dictionary *dictionaries,
                                                  ftl_error *error);
/* Makes column i of the rows, which holds indices, refer to the dictionary of its field. */
void ftl_arrow_dictionary_attach(const ftl_arrow_dictionary *dictionaries,
                                 const ftl_arrow_field *field, ftl_arrow_rows *rows, size_t i);

#endif
