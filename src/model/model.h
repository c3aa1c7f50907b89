/*
 * A loaded model: validated graph, schema and descriptions in one arena. Immutable after opening;
 * reference-counted.
 */
#ifndef FTL_MODEL_MODEL_H
#define FTL_MODEL_MODEL_H

#include "model/ir.h"

#include <stdatomic.h>

/* One estimator inside the model, for inspect. */
typedef struct ftl_step_info {
    const char *path;       /* "" for the model itself */
    const char *class_name; /* sklearn.preprocessing.StandardScaler: public module when known */
    /* such as "100 trees, 1220 nodes, depth 10"; "" when there is nothing to say */
    const char *detail;
} ftl_step_info;

/* One input column: what ftl_schema_column tells of it. */
typedef struct ftl_input_schema {
    const char *name; /* NULL for models without names */
    ftl_column_kind kind;
    ftl_missing_rule missing;
    ftl_type batch_type; /* F64 or STRING */
} ftl_input_schema;

typedef struct ftl_problem {
    ftl_status code;
    const char *path;
    const char *message;
} ftl_problem;

/* A file that a model was read from: itself, a side file. */
typedef struct ftl_model_file {
    const char *path; /* absolute where the system could tell; "-": standard input */
    const struct ftl_model_file *next;
} ftl_model_file;

/* What a file holds beside its models: lists of columns, thresholds, metrics, other values. */
typedef struct ftl_found {
    const char *path; /* such as "metrics" */
    const char *what; /* columns, threshold, numbers, labels, value */
    const char *text; /* its value, shortened; printable */
} ftl_found;

struct ftl_model {
    atomic_uint references;
    void (*close)(ftl_model *model); /* the last reference is gone: frees the model */
    ftl_context *context;
    uint64_t serial; /* of the context's models, from 1 on */
    /*
     * account counts all that the model holds; its plans and their sessions are charged to accounts
     * of their own below it, so that each can be told.
     */
    ftl_account account, plan_account, session_account;
    struct ftl_plan_cache *plans; /* the engine's */
    bool only_plan;               /* there is one plan for ever; the graph has no operations */
    bool listed;                  /* is among the context's models: */
    ftl_model *previous, *next;
    ftl_arena arena;
    ftl_graph graph;
    ftl_input_schema *inputs; /* [graph.n_inputs] */
    size_t first_text_input;  /* n_inputs when all are numbers, so that a matrix can hold them */
    bool has_input_names;
    ftl_model_kind kind;
    const char *class_name, *library, *library_version, *codec;
    /*
     * the libraries in the model whose version is newer than what was tested, such as "scikit-learn
     * 1.10.0 (tested up to 1.9)"; NULL: none
     */
    const char *newer;
    const char *selected; /* the entry of a dict, list or tuple that the model is; NULL: the file */
    const char *note;     /* ftl_model_info's; NULL: nothing */
    bool has_inverse;     /* it could be opened as its inverse; not written to files */
    const char *labels_entry; /* the LabelEncoder found beside the model; NULL */
    bool labels_used;         /* names that were given, or found, stand for numbers of classes */
    size_t n_found;           /* for describe; not written to files */
    const ftl_found *found;
    uint64_t file_bytes;
    const ftl_model_file *files; /* no job writes over these; NULL: read from memory */
    uint64_t read_bytes;         /* the file's, decompressed: what opening it could cost */
    ftl_method default_method;
    size_t n_steps;
    const ftl_step_info *steps;
    size_t more_listed; /* of a container that lists its models as steps: those behind these */
    size_t n_classes;   /* label tables: one per target of a classifier */
    const ftl_labels *const *classes;
    /* why a method that the class has cannot run; code OK when it can or is absent */
    ftl_error method_error[FTL_METHOD_COUNT];
    /* classes and functions that the file names beside Python's harmless ones and known packages */
    size_t n_foreign;
    const char *const *foreign;
    bool more_foreign;
    size_t n_problems; /* everything unsupported, with its place */
    const ftl_problem *problems;
    /*
     * A model that does not say how many columns it takes keeps its objects, to be built again for
     * a width.
     */
    bool open_width;
    ftl_account objects_account;
    ftl_arena objects;
    const struct ftl_node *root;
    uint32_t iterations;                   /* as in ftl_model_options */
    const struct ftl_build_wishes *wishes; /* in objects */
};

/* The accounts below model->account, which is ready. */
static inline void ftl_model_init_accounts(ftl_model *model)
{
    ftl_account_init_child(&model->plan_account, &model->account);
    ftl_account_init_child(&model->session_account, &model->account);
}

/* Bytes that the model holds beside its plans and their sessions. */
static inline uint64_t ftl_model_own_bytes(const ftl_model *model)
{
    /* Others may allocate meanwhile: parts are read before the whole, which then holds them. */
    uint64_t parts = ftl_account_used(&model->plan_account);
    parts += ftl_account_used(&model->session_account);
    uint64_t whole = ftl_account_used(&model->account);
    return whole > parts ? whole - parts : 0;
}

/*
 * ftl_graph_validate, and that the schema and the labels fit the graph: a model that passes can be
 * planned and run. scratch: freed by the callee.
 */
FTL_MUST_USE ftl_status ftl_model_validate(const ftl_model *model, ftl_account *scratch,
                                           ftl_error *error);

#endif
