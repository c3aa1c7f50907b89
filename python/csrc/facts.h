/*
 * What running a model has to know of it, found out once: the classes as numpy arrays, the schema
 * as prepare() wants it, and what each method's result looks like in numpy.
 */
#ifndef FORETELL_CORE_FACTS_H
#define FORETELL_CORE_FACTS_H

#include "core.h"

typedef enum core_form {
    CORE_NUMBERS, /* floats: an array of them, of one or two dimensions */
    CORE_CLASSES, /* the classes of one target: an array of its labels */
    CORE_SHAPED,  /* numbers that foretell._results.shape makes arrays of */
    CORE_CELLS    /* columns, some of text, likewise */
} core_form;

typedef struct core_method_facts {
    size_t count; /* of columns; 0: the model lacks the method */
    core_form form;
    bool vector;      /* NUMBERS and CLASSES: of one dimension */
    const char *type; /* of the columns: "float64", "int64", "bool" or "mixed" */
} core_method_facts;

/* Nothing in it points into the model, which it outlives: a cache keeps it by the model's serial.
 */
typedef struct core_facts {
    const core_numpy *numpy; /* the module's */
    atomic_uint references;
    PyObject *classes; /* tuple of arrays, one per target */
    PyObject *take;    /* of the first one: its method; NULL: there are no classes */
    PyObject *schema;  /* a foretell._inputs.Schema */
    size_t n_inputs;
    ftl_method default_method;
    bool open_width, has_names;
    bool numbers_only; /* every column that the model looks at is numbers */
    core_method_facts methods[FTL_METHOD_COUNT];
} core_facts;

/* Borrowed from the model; NULL: an exception is set. Thread-safe. */
core_facts *core_facts_of(PyObject *model);
void core_facts_drop(core_facts *facts); /* NULL is allowed */

#endif
