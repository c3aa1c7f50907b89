/*
 * Record batches of the Arrow C data interface as a session's input. A binding says which child of
 * a record batch each of the model's inputs is and of which type; it is made once for a schema and
 * holds the columns that view the last record batch. It belongs to its session and its thread.
 *
 * Everything in the structures is hostile: counts, pointers and formats are checked by
 * table/arrow_c.c, what the buffers hold in engine/columns.c. The sizes of buffers are the
 * producer's word: the interface does not carry them.
 */
#ifndef FTL_ENGINE_ARROW_IMPORT_H
#define FTL_ENGINE_ARROW_IMPORT_H

#include "foretell/arrow.h"
#include "model/model.h"

typedef struct ftl_arrow_binding ftl_arrow_binding;

/*
 * Makes *binding one for the schema; a binding that was made for an equal schema is kept. On
 * failure *binding is NULL. ARG for what is no record batch, SCHEMA for columns that are missing,
 * there twice or of a type that is not read.
 */
FTL_MUST_USE ftl_status ftl_arrow_bind(const ftl_model *model, ftl_account *account,
                                       const struct ArrowSchema *schema,
                                       ftl_arrow_binding **binding, ftl_error *error);
/* Views a record batch of that schema: *out borrows it and the binding. ARG with the place. */
FTL_MUST_USE ftl_status ftl_arrow_view(ftl_arrow_binding *binding, const struct ArrowArray *array,
                                       ftl_batch *out, ftl_error *error);
void ftl_arrow_binding_destroy(ftl_arrow_binding *binding); /* NULL is allowed */

#endif
