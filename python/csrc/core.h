/*
 * foretell._core: the C library as a Python extension module, on the limited API of Python 3.11.
 *
 * Everything of the module lives in its state; there are no statics, so that each interpreter of a
 * process has a module of its own. The library's objects are immutable or lock by themselves, so
 * the objects here are safe without the GIL as well.
 */
#ifndef FORETELL_CORE_H
#define FORETELL_CORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "foretell/arrow.h"
#include "foretell/cache.h"
#include "foretell/experimental.h"
#include "foretell/foretell.h"
#include "foretell/rows.h"

#include <stdatomic.h>
#include <stdbool.h>

/* What comes from numpy, and from the modules of the package that need it. Strong references. */
typedef struct core_numpy {
    PyObject *ndarray;                  /* numpy.ndarray */
    PyObject *empty;                    /* numpy.empty */
    PyObject *float64, *float32, *intp; /* numpy dtypes */
    PyObject *int64, *uint64, *boolean, *object;
    PyObject *prepare;   /* foretell._inputs.prepare */
    PyObject *schema;    /* foretell._inputs.schema */
    PyObject *cell_text; /* foretell._inputs.cell_text */
    PyObject *shape;     /* foretell._results.shape */
    PyObject *join;      /* foretell._results.join */
    PyObject *classes;   /* foretell._results.classes */
} core_numpy;

/* What a module's objects share. */
typedef struct core_state {
    PyTypeObject *context_type, *cancel_type, *cache_type, *model_type, *batches_type, *batch_type;
    PyObject *make_error;                     /* foretell.errors.make */
    PyObject *method_names[FTL_METHOD_COUNT]; /* interned */
    /*
     * NULL until somebody needs it: numpy takes its time, and there are interpreters where it
     * cannot be imported and jobs over files run all the same. Behind all objects
     */
    _Atomic(core_numpy *) numpy;
    atomic_uint thread_limit; /* of what asks for several threads; 0: none */
} core_state;

/* NULL: an exception is set. Thread-safe. */
const core_numpy *core_numpy_of(core_state *state);

/*
 * A context with its own count of references: streams that were given to other libraries need it,
 * and end on any thread, without the interpreter.
 */
typedef struct core_home {
    atomic_uint references;
    ftl_context *context;
} core_home;
core_home *core_home_take(core_home *home);
void core_home_drop(core_home *home); /* NULL is allowed */

/* A token that cancels, likewise. */
typedef struct core_token {
    atomic_uint references;
    ftl_cancel *cancel;
    core_home *home;
} core_token;
core_token *core_token_take(core_token *token);
void core_token_drop(core_token *token); /* NULL is allowed */

typedef struct core_context {
    PyObject_HEAD core_home *home;
    uint32_t threads;
} core_context;

typedef struct core_cancel {
    PyObject_HEAD core_token *token;
} core_cancel;

typedef struct core_cache {
    PyObject_HEAD core_home *home;
    ftl_cache *cache;
    PyObject *known; /* dict: what was found out about the models that were given out; facts.c */
} core_cache;

typedef struct core_model {
    PyObject_HEAD core_home *home;
    ftl_model *model;
    _Atomic(struct core_facts *) facts; /* facts.h; NULL until somebody asks */
    /* nanoseconds that a row took of late, by the first method of a run; 0: not known (run.c) */
    atomic_uint row_time[FTL_METHOD_COUNT];
    PyObject *known; /* of the cache that gave it out; NULL: none did */
} core_model;

/* The state of the module that the object's type belongs to. */
static inline core_state *core_state_of(PyObject *object)
{
    return PyType_GetModuleState(Py_TYPE(object));
}

/* The threads that work may use which asks for so many; 0: all of them. */
static inline uint32_t core_threads(core_state *state, uint32_t threads)
{
    uint32_t limit = atomic_load_explicit(&state->thread_limit, memory_order_relaxed);
    return limit && (threads == 0 || threads > limit) ? limit : threads;
}

/* ---- Errors (errors.c) --------------------------------------------------------------------------- */

/*
 * Raises the library's error as one of foretell.errors. filename: the file that was asked for, NULL
 * where there is none. An exception that is set already, by a callback, stays. Returns NULL.
 */
PyObject *core_raise(core_state *state, const ftl_error *error, const char *filename);

/* The same where filename is a file of rows or of results, and not the model's. */
PyObject *core_raise_data(core_state *state, const ftl_error *error, const char *filename);
/* The same where the library gives a status alone. */
PyObject *core_raise_status(core_state *state, ftl_status status, const char *what);

/* ---- Arguments (options.c) ----------------------------------------------------------------------- */

/* What options point to; none of it is Python's, so that it can be freed without the interpreter.
 */
typedef struct core_block core_block;
typedef struct core_keep {
    core_block *blocks;
    ftl_model **models; /* in one of the blocks; each is held */
    size_t n_models;
    core_token *token; /* NULL: none */
} core_keep;
void core_keep_clear(core_keep *keep);

/*
 * The keyword arguments of a call that are options of a model, of a job: values[i] belongs to
 * names[i]. A name that is none of them is a TypeError naming `function`. false: an exception is
 * set.
 */
bool core_model_option(const char *name, PyObject *value, ftl_model_options *out, core_keep *keep,
                       bool *known);
bool core_model_options(const char *function, PyObject *const *values, PyObject *names,
                        ftl_model_options *out, core_keep *keep);

typedef struct core_job {
    ftl_score_options options;
    core_keep keep;
    core_state *state;
    PyObject *progress, *warn;             /* borrowed from the keywords; NULL: none */
    const char *reader_name, *writer_name; /* NULL: none */
    size_t n_more_names;
    PyThreadState *thread; /* that was put away while the library works */
    PyObject *exception;   /* that a callback raised; NULL: none did */
} core_job;

/* Options of a job as keywords. */
void core_job_clear(core_job *job);
/* The exception that is set, which no longer is. */
PyObject *core_take_exception(void);
bool core_job_options(core_state *state, const char *function, PyObject *const *values,
                      PyObject *names, core_job *job);

/* A path, or "PATH:ENTRY", as bytes of the file system's encoding; NULL: an exception is set. */
PyObject *core_path(PyObject *value);
/* The number of a method by its name; -1: an exception is set. */
int core_method(core_state *state, PyObject *name);
/* The bit set of a tuple or list of names, or of one name; false: an exception is set. */
bool core_methods(core_state *state, PyObject *names, uint32_t *out);
/* Puts a value into a dict and gives up its reference; false: an exception is set. */
bool core_put(PyObject *dict, const char *name, PyObject *value);
PyObject *core_text(const char *text); /* None for NULL; bytes that are no UTF-8 are replaced */

/* ---- Signals (interrupt.c) ------------------------------------------------------------------- */

/* Whether Ctrl-C triggers the token from here on, until core_interrupt_end. */
bool core_interrupt_begin(ftl_cancel *cancel);
void core_interrupt_end(void);

/* ---- Objects ----------------------------------------------------------------------------------- */

/* Takes the reference over. known: the cache's; NULL: the model is opened for the caller alone. */
PyObject *core_model_wrap(core_state *state, core_home *home, PyObject *known, ftl_model *model);

/* Model.run (run.c) */
PyObject *core_model_run(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names);
/* Capsules of Arrow (arrow_column.c) */
PyObject *core_arrow_fields(PyObject *module, PyObject *capsule);
PyObject *core_arrow_rows(PyObject *module, PyObject *capsule);
PyObject *core_arrow_schema(PyObject *module, PyObject *capsule);
PyObject *core_arrow_next(PyObject *module, PyObject *capsule);
/* Model.generate (generate.c) */
PyObject *core_model_generate(PyObject *self, PyObject *args, PyObject *kwargs);
/* Model.run_json (json_rows.c) */
PyObject *core_model_run_json(PyObject *self, PyObject *args);
/* Jobs (score.c) */
PyObject *core_score_file(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names);
PyObject *core_score_arrow(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names);
PyObject *core_score_stream(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names);
PyObject *core_check(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names);
PyObject *core_read_table(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names);
PyObject *core_write_table(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names);

/* Arrow streams as batches (batches.c) */
PyObject *core_typed_stream(PyObject *module, PyObject *args);

extern PyType_Spec core_batches_spec, core_batch_spec;

extern PyType_Spec core_context_spec, core_cancel_spec, core_cache_spec, core_model_spec;

#endif
