/*
 * Building a graph from estimators. A *frame* is the table that flows through a pipeline: a list of
 * column references with names. Selecting and concatenating columns only rearranges references; an
 * operation that needs a matrix asks for one and a GATHER is made when the columns do not lie
 * together already.
 *
 * An estimator family is one file: functions that emit operations, and a table of
 * ftl_estimator_class entries that estimators/families.c lists in one line.
 */
#ifndef FTL_BUILD_BUILD_H
#define FTL_BUILD_BUILD_H

#include "build/registry.h"
#include "model/ir.h"
#include "model/model.h"
#include "pickle/node.h"

/* scikit-learn versions compare as integers: FTL_SKLEARN(0, 24) < FTL_SKLEARN(1, 0). */
#define FTL_SKLEARN(major, minor) ((major) * 10000 + (minor) * 100)

typedef struct ftl_frame_column {
    uint32_t op, column;
    const char *name; /* never NULL in a frame of features; NULL in results */
    ftl_as as;        /* how a result shows the column */
    /* predict: AS_LABEL's table; probabilities: the class is labels->cells[label] */
    const ftl_labels *labels;
    uint32_t label;  /* index into labels */
    uint32_t target; /* which of several targets */
    /*
     * features: what holds the same values as cells, where the column itself is float64, which
     * would merge integers above 2^53; NULL: nothing does
     */
    const struct ftl_exact_column *exact;
} ftl_frame_column;

/* An input column whose missing cells are filled, as cells. */
typedef struct ftl_exact_column {
    uint32_t op, column; /* of the input */
    ftl_cell missing, fill;
} ftl_exact_column;

typedef struct ftl_frame {
    uint32_t n_columns;
    ftl_frame_column *columns;
    /*
     * features: the library holds them in a scipy matrix, which some steps compute with
     * differently. Its entries are those of the columns that lie in SPARSE operations, zeros among
     * them, and the numbers other than zero of all others; everything else is absent.
     */
    bool sparse;
    bool zeros_unknown; /* sparse: which of its zeros are stored is not known any more */
    bool csc; /* that matrix lies by columns, as SimpleImputer leaves it; others lie by rows */
    /* results: number of targets (1 unless multi-output); 0 in frames of features */
    uint32_t n_targets;
    bool matrix; /* results of one column: the library's has two dimensions all the same */
} ftl_frame;

typedef struct ftl_build ftl_build;
typedef struct ftl_estimator_class ftl_estimator_class;

/* An estimator in the object graph, with the place where it stands. */
typedef struct ftl_estimator {
    const ftl_node *node;
    const char *path; /* "" for the model itself */
    const ftl_estimator_class *cls;
    /* FTL_SKLEARN form + patch of _sklearn_version; of the nearest parent when absent */
    int version;
} ftl_estimator;

/* What a model is to do beside what its estimators say. Nodes live as long as the build. */
typedef struct ftl_build_wishes {
    /* lists of column names found beside the model: one as long as its inputs names them when the
     * estimators do not */
    const ftl_node *const *features;
    size_t n_features;
    const ftl_node *labels;  /* names of classes: see ftl_model_options; NULL */
    bool labels_only_if_fit; /* nobody asked for them: they name classes 0, 1 … n - 1 or nothing */
    double threshold;
    bool threshold_set;
    bool inverse; /* the transformer's way back, and nothing else */
    bool classes; /* predict gives the class, where the estimator's own gives its scores */
} ftl_build_wishes;

typedef struct ftl_inputs {
    int64_t count;            /* -1: the estimator cannot tell */
    const char *const *names; /* [count] or NULL */
} ftl_inputs;

struct ftl_estimator_class {
    const char *package; /* "sklearn.ensemble": the module is it or below it */
    const char *name;    /* "RandomForestClassifier" */
    ftl_model_kind kind;
    /* Bit set (1u << ftl_method) of what this object offers. */
    uint32_t (*methods)(ftl_build *build, const ftl_estimator *estimator);
    /*
     * Emits operations for one method on `in`, and fills *out (columns in the arena:
     * ftl_frame_new). Other methods of the same estimator are reached through ftl_emit, which
     * remembers what was emitted before for the same frame.
     */
    ftl_status (*emit)(ftl_build *build, const ftl_estimator *estimator, ftl_method method,
                       const ftl_frame *in, ftl_frame *out, ftl_error *error);
    /*
     * The columns that the estimator was fitted on; NULL: feature_names_in_, n_features_in_ and its
     * older names, coef_ … Meta-estimators ask the child that sees the input first
     * (ftl_estimator_inputs).
     */
    ftl_status (*inputs)(ftl_build *build, const ftl_estimator *estimator, ftl_inputs *out,
                         ftl_error *error);
    /* One line for inspect; NULL or "" when there is nothing to say. */
    const char *(*detail)(ftl_build *build, const ftl_estimator *estimator);
    /* The library that the class belongs to, as inspect says it; NULL: scikit-learn. */
    const char *library;
    /* The version that wrote the object, as text; NULL: _sklearn_version. "" when unknown. */
    const char *(*wrote)(ftl_build *build, const ftl_estimator *estimator);
    /* inverse_transform: from the columns that transform gives back to its own; NULL: there is none
     */
    ftl_status (*inverse)(ftl_build *build, const ftl_estimator *estimator, const ftl_frame *in,
                          ftl_frame *out, ftl_error *error);
    /*
     * The estimator inside that answers: a pipeline's last step, a search's best. The model is of
     * its kind. NULL, or UNSUPPORTED: the estimator itself.
     */
    ftl_status (*answers)(ftl_build *build, const ftl_estimator *estimator, ftl_estimator *out,
                          ftl_error *error);
};

enum { FTL_MAX_NESTING = 64, /* of estimators in estimators */ FTL_MAX_LOOKUPS = 1 << 15 };

/* What is read once of a node, or of its bytes, for all estimators that refer to it. */
typedef enum ftl_made_kind {
    FTL_MADE_PARSED,     /* what an estimator's front end read: a library's own format, children */
    FTL_MADE_HANDLE,     /* the library's format in a bytes node, which several boosters may hold */
    FTL_MADE_HEAD,       /* what such a format says before the trees */
    FTL_MADE_TREES,      /* its trees */
    FTL_MADE_MATRIX,     /* the numbers of an array (ftl_node_matrix) */
    FTL_MADE_LABELS,     /* the labels that an array holds (ftl_node_labels) */
    FTL_MADE_NAMES,      /* names of columns (ftl_names_of) */
    FTL_MADE_CATEGORIES, /* an encoder's categories of a column */
    FTL_MADE_NUMBERS,    /* those categories as numbers */
    FTL_MADE_CODES,      /* what an encoder makes of them when it leaves none out */
    FTL_MADE_VALUES,     /* their places as numbers, the same */
    FTL_MADE_TEXT,       /* a long text in the model's arena */
    FTL_MADE_WALKED      /* list_problems was here */
} ftl_made_kind;

typedef struct ftl_made {
    const void *key;
    uint32_t kind;
    const void *value; /* NULL: an empty slot */
} ftl_made;

struct ftl_build {
    const ftl_registry *registry;
    ftl_account *account;
    ftl_arena *arena;   /* the model's */
    ftl_arena *scratch; /* freed after building */
    ftl_op *ops;
    size_t n_ops, ops_room;
    ftl_input_schema *inputs; /* kinds are noted by the operations that consume the columns */
    size_t n_inputs;
    bool *input_used;
    bool named_inputs;  /* a data frame was fitted: columns that are passed through may be text */
    ftl_budget *budget; /* spent by ftl_build_spend, and by the memory below account */
    ftl_budget own_budget; /* of tests, which build without opening a file */
    ftl_made *made;        /* a hash table */
    size_t n_made, made_room;
    struct ftl_emit_memo *memo; /* what ftl_emit made before */
    size_t n_memo, memo_room;
    uint32_t *memo_slots; /* their hash table, by node and method: index of the newest + 1 */
    size_t memo_slots_room;
    ftl_step_info *steps;
    size_t n_steps, steps_room;
    uint32_t *step_slots; /* the steps by the hash of their paths: step + 1, 0: empty */
    size_t step_slots_room;
    uint32_t n_lookups;  /* calls of ftl_estimator_of; bounded: shared nodes unfold exponentially */
    uint32_t depth;      /* of nested estimators; bounded */
    uint32_t iterations; /* of boosters, as in ftl_model_options */
    bool has_iterations; /* some estimator has iterations to choose from */
    bool wants_classes;  /* predict of boosters by themselves gives the class (ftl_gives_class) */
    bool gave_classes;   /* and some did */
    const char *newer;   /* as in ftl_model */
};

/*
 * UNSUPPORTED when the structured array has a field that is not among known (NULL-terminated): a
 * newer library's, whose meaning nobody here knows. path: of the estimator.
 */
FTL_MUST_USE ftl_status ftl_expect_fields(const ftl_node_array *array, const char *const *known,
                                          const char *what, const char *path, ftl_error *error);

/* ---- Finding and emitting -------------------------------------------------------------------- */

/*
 * Looks the node's class up in the registry. UNSUPPORTED (or FORBIDDEN for things that would run
 * code) with the dotted path when it is not an estimator that foretell runs. path is copied. parent
 * may be NULL.
 */
FTL_MUST_USE ftl_status ftl_estimator_of(ftl_build *build, const ftl_node *node,
                                         const ftl_estimator *parent, const char *path,
                                         ftl_estimator *out, ftl_error *error);
/*
 * "steps[1]" below the parent's path: ftl_child_path(build, parent, "estimators_[%u]", i). NULL
 * only when out of memory.
 */
const char *ftl_child_path(ftl_build *build, const ftl_estimator *parent, const char *format, ...)
    FTL_PRINTF(3, 4);
uint32_t ftl_estimator_methods(ftl_build *build, const ftl_estimator *estimator);
FTL_MUST_USE ftl_status ftl_estimator_inputs(ftl_build *build, const ftl_estimator *estimator,
                                             ftl_inputs *out, ftl_error *error);
/* A list or array of column names → *out. */
FTL_MUST_USE ftl_status ftl_names_of(ftl_build *build, const ftl_node *node, ftl_inputs *out,
                                     ftl_error *error);
FTL_MUST_USE ftl_status ftl_emit(ftl_build *build, const ftl_estimator *estimator,
                                 ftl_method method, const ftl_frame *in, ftl_frame *out,
                                 ftl_error *error);

/* inverse_transform; ARG when the class has none. */
FTL_MUST_USE ftl_status ftl_emit_inverse(ftl_build *build, const ftl_estimator *estimator,
                                         const ftl_frame *in, ftl_frame *out, ftl_error *error);
/* Drops what ftl_emit remembers beyond the first n: the operations that it refers to are gone. */
void ftl_emit_forget(ftl_build *build, size_t n);

/*
 * Work in the budget's units that a file can ask for again and again: columns that are walked,
 * operations that are searched. LIMIT when it is spent.
 */
FTL_MUST_USE ftl_status ftl_build_spend(ftl_build *build, uint64_t units, ftl_error *error);

/* What was made of the node (or of another thing in the object graph) before; NULL at first. The
 * pointer is kept as it is; none is kept twice. The key's address stands for what it holds: it lies
 * in an arena until the build ends, never on the stack. */
const void *ftl_made_of(const ftl_build *build, const void *key, ftl_made_kind kind);
FTL_MUST_USE ftl_status ftl_made_keep(ftl_build *build, const void *key, ftl_made_kind kind,
                                      const void *value, ftl_error *error);

/*
 * What an estimator's front end read before, NULL at first; the pointer is kept as it is. A class
 * keeps one thing of a node.
 */
const void *ftl_parsed_of(const ftl_build *build, const ftl_node *node);
FTL_MUST_USE ftl_status ftl_parsed_keep(ftl_build *build, const ftl_node *node, const void *model,
                                        ftl_error *error);

/* ---- Attributes: errors carry the dotted path ------------------------------------------------ */

const ftl_node *ftl_attr(const ftl_estimator *estimator, const char *name); /* NULL when absent */
/* Tries names in order (renamed attributes); CORRUPT naming the first when all are absent. */
FTL_MUST_USE ftl_status ftl_attr_need(const ftl_estimator *estimator, const char *const *names,
                                      const ftl_node **out, ftl_error *error);
#define FTL_NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
/* With a default: absent or None gives the default. A value of another type is CORRUPT. */
FTL_MUST_USE ftl_status ftl_attr_bool(const ftl_estimator *e, const char *name, bool fallback,
                                      bool *out, ftl_error *error);
FTL_MUST_USE ftl_status ftl_attr_int(const ftl_estimator *e, const char *name, int64_t fallback,
                                     int64_t *out, ftl_error *error);
FTL_MUST_USE ftl_status ftl_attr_f64(const ftl_estimator *e, const char *name, double fallback,
                                     double *out, ftl_error *error);
/* a string attribute equals text */
bool ftl_attr_is(const ftl_estimator *e, const char *name, const char *text);
/* Error about an attribute: FTL_ATTR_FAIL(error, e, "coef_", FTL_CORRUPT, "has %zu columns"…). */
#define FTL_ATTR_FAIL(error, e, name, code, ...) \
    (ftl_error_set((error), (code), __VA_ARGS__), ftl_error_in_attr((error), (e), (name)), (code))
void ftl_error_in_attr(ftl_error *error, const ftl_estimator *estimator, const char *name);

/*
 * A numeric array (any dtype, order, 0–2 dimensions, or a list of numbers) as float64 in C
 * order, in the model's arena, once for all who ask for the node. rows × columns: 0-d is 1 × 1, 1-d
 * is 1 × n. was_f32: the array's dtype is float32 (may be NULL).
 */
typedef struct ftl_array2 {
    size_t rows, columns;
    const double *data; /* of all who read the same node */
    bool was_f32;
} ftl_array2;
FTL_MUST_USE ftl_status ftl_node_matrix(ftl_build *build, const ftl_node *node, ftl_array2 *out,
                                        ftl_error *error);
FTL_MUST_USE ftl_status ftl_attr_matrix(ftl_build *build, const ftl_estimator *e,
                                        const char *const *names, ftl_array2 *out,
                                        ftl_error *error);
/* The same with its size checked: n numbers. */
FTL_MUST_USE ftl_status ftl_attr_vector(ftl_build *build, const ftl_estimator *e,
                                        const char *const *names, size_t n, const double **out,
                                        ftl_error *error);
/* The matrix's numbers, and such a vector's, of the caller's own, in the model's arena. */
double *ftl_matrix_copy(ftl_build *build, const ftl_array2 *array); /* NULL: out of memory */
/* The value n times, in the model's arena. NULL: out of memory. */
double *ftl_repeat(ftl_build *build, double value, uint32_t n);
FTL_MUST_USE ftl_status ftl_attr_vector_copy(ftl_build *build, const ftl_estimator *e,
                                             const char *const *names, size_t n, double **out,
                                             ftl_error *error);
/* A list, tuple or object array as nodes. */
FTL_MUST_USE ftl_status ftl_node_items(const ftl_node *node, ftl_node ***items, size_t *count,
                                       ftl_error *error);
FTL_MUST_USE ftl_status ftl_attr_items(const ftl_estimator *e, const char *name, ftl_node ***items,
                                       size_t *count, ftl_error *error);

/*
 * Element i of a 1-d array or list as a cell (text copied into the model's arena). None, NaN and
 * pandas' NA are MISSING.
 */
FTL_MUST_USE ftl_status ftl_node_cell(ftl_build *build, const ftl_node *sequence, size_t i,
                                      ftl_cell *out, ftl_error *error);
/* The same of a value that stands alone. */
FTL_MUST_USE ftl_status ftl_cell_of(ftl_build *build, const ftl_node *node, ftl_cell *out,
                                    ftl_error *error);
/* elements of a list, tuple or array; 0 otherwise */
size_t ftl_node_length(const ftl_node *sequence);
/* classes_ of one target as labels. */
FTL_MUST_USE ftl_status ftl_node_labels(ftl_build *build, const ftl_node *classes,
                                        const ftl_labels **out, ftl_error *error);
/* A label as text: "yes", "1", "2.5", "True". Never NULL but when out of memory. */
const char *ftl_cell_text(ftl_arena *arena, const ftl_cell *cell);

/* ---- Frames and operations ------------------------------------------------------------------- */

FTL_MUST_USE ftl_status ftl_frame_new(ftl_build *build, uint32_t n_columns, ftl_frame *out,
                                      ftl_error *error);
/* All columns of an op as a frame; names may be NULL (results) or [width]. */
FTL_MUST_USE ftl_status ftl_frame_of_op(ftl_build *build, uint32_t op, const char *const *names,
                                        ftl_frame *out, ftl_error *error);
/* Notes that the library holds `out` as it holds `in`: sparse or not, and how. */
void ftl_frame_form(const ftl_frame *in, ftl_frame *out);
/* Columns picked[0..n) of a frame, in that order and form. */
FTL_MUST_USE ftl_status ftl_frame_select(ftl_build *build, const ftl_frame *in,
                                         const uint32_t *picked, uint32_t n, ftl_frame *out,
                                         ftl_error *error);
/* The columns of all parts; sparse, as scipy's hstack would be, when any part is. One part stays
 * csc. */
FTL_MUST_USE ftl_status ftl_frame_concat(ftl_build *build, const ftl_frame *parts, size_t n,
                                         ftl_frame *out, ftl_error *error);
/* SHAPE error "expects n features, …" when the frame's width differs. */
FTL_MUST_USE ftl_status ftl_frame_expect(const ftl_estimator *e, const ftl_frame *in, size_t n,
                                         ftl_error *error);
/*
 * A new operation whose sources are the frame's columns in order (merged into segments). The caller
 * fills u and, when it differs, edge (NUM), dtype (SAME) and width (source columns). The pointer is
 * valid until the next ftl_build_op.
 */
FTL_MUST_USE ftl_status ftl_build_op(ftl_build *build, const ftl_estimator *e, ftl_op_kind kind,
                                     const ftl_frame *sources, uint32_t *id, ftl_op **op,
                                     ftl_error *error);
/*
 * The frame as one NUM op: *id is an existing op when the frame is exactly its columns, else a
 * GATHER. Input columns become numeric.
 */
FTL_MUST_USE ftl_status ftl_build_matrix(ftl_build *build, const ftl_estimator *e,
                                         const ftl_frame *in, uint32_t *id, ftl_error *error);
/* The same followed by CHECK (refuse: FTL_CHECK_ bits). Notes the missing rule of input columns. */
FTL_MUST_USE ftl_status ftl_build_checked_matrix(ftl_build *build, const ftl_estimator *e,
                                                 const ftl_frame *in, uint32_t refuse, uint32_t *id,
                                                 ftl_error *error);
/*
 * The same for estimators that take what a sparse matrix does not store for missing: NaN stands
 * there. A frame that is not sparse is as above; UNSUPPORTED when
 * it is zeros_unknown.
 */
FTL_MUST_USE ftl_status ftl_build_stored_matrix(ftl_build *build, const ftl_estimator *e,
                                                const ftl_frame *in, uint32_t refuse, uint32_t *id,
                                                ftl_error *error);
/*
 * The frame as one SPARSE op, for steps that have a sparse form (AFFINE, NORMALIZE, BINARIZE,
 * TFIDF), followed by CHECK (refuse: FTL_CHECK_ bits) when it holds more than counts of words. The
 * op that reads it sets its own edge to SPARSE.
 */
FTL_MUST_USE ftl_status ftl_build_sparse(ftl_build *build, const ftl_estimator *e,
                                         const ftl_frame *in, uint32_t refuse, uint32_t *id,
                                         ftl_error *error);
/* CHECK for those of the frame's SPARSE columns that need one, for steps that take them as they
 * are: the references are changed. */
FTL_MUST_USE ftl_status ftl_build_sparse_columns(ftl_build *build, const ftl_estimator *e,
                                                 ftl_frame *frame, uint32_t refuse,
                                                 ftl_error *error);
/*
 * For steps that make one dense matrix of a sparse frame: *out is zeros_unknown when zeros may
 * be stored among the columns of `in`.
 */
FTL_MUST_USE ftl_status ftl_frame_forget_zeros(ftl_build *build, const ftl_frame *in,
                                               ftl_frame *out, ftl_error *error);
/* Whether any column is of a SPARSE op. */
bool ftl_frame_has_sparse(const ftl_build *build, const ftl_frame *in);
/* The frame as one OBJECT op. Input columns become text. */
FTL_MUST_USE ftl_status ftl_build_objects(ftl_build *build, const ftl_estimator *e,
                                          const ftl_frame *in, uint32_t *id, ftl_error *error);
/*
 * Sets the kind of the input column behind a reference (through nothing: only direct INPUT
 * columns); later numeric + object = mixed.
 */
void ftl_build_want(ftl_build *build, uint32_t op, ftl_column_kind kind);

/*
 * One-source helpers: a NUM op of the same width on top of `source` (LINK, DECIDE …): the op is
 * returned for filling.
 */
FTL_MUST_USE ftl_status ftl_build_on(ftl_build *build, const ftl_estimator *e, ftl_op_kind kind,
                                     uint32_t source, uint32_t width, uint32_t *id, ftl_op **op,
                                     ftl_error *error);
/* An IMPUTE op on *id whose columns hold NaN where they held `value`. */
FTL_MUST_USE ftl_status ftl_emit_as_missing(ftl_build *build, const ftl_estimator *e, double value,
                                            uint32_t *id, ftl_error *error);

/* The labels -1 and 1, for outlier detectors. */
FTL_MUST_USE ftl_status ftl_outlier_labels(ftl_build *build, const ftl_labels **out,
                                           ftl_error *error);

/*
 * Results: predict as labels of class-index columns, probabilities and scores with their classes.
 */
FTL_MUST_USE ftl_status ftl_result_labels(ftl_build *build, uint32_t op, const ftl_labels *labels,
                                          ftl_frame *out, ftl_error *error);
FTL_MUST_USE ftl_status ftl_result_scores(ftl_build *build, uint32_t op, const ftl_labels *labels,
                                          ftl_frame *out, ftl_error *error);
/* regression: a target per column */
FTL_MUST_USE ftl_status ftl_result_values(ftl_build *build, uint32_t op, ftl_frame *out,
                                          ftl_error *error);

/* ---- From outside ---------------------------------------------------------------------------- */

/*
 * Fills the model (graph, schema, steps, outputs) from the root of a pickle, with the classes of
 * registry. graph is not yet validated. width: the number of input columns of a model that does not
 * say it (0.20's Normalizer, FunctionTransformer); -1: take one, and note open_width. wishes may be
 * NULL.
 */
FTL_MUST_USE ftl_status ftl_estimators_build(ftl_model *model, const ftl_registry *registry,
                                             const ftl_node *root, const ftl_build_wishes *wishes,
                                             int64_t width, ftl_error *error);
/* The methods of the estimator that a node is, as a bit set; 0 when it is none that runs. */
uint32_t ftl_node_methods(ftl_model *model, const ftl_registry *registry, const ftl_node *node);
/*
 * Entries of a file, or files, as the steps of one chain: an object that ftl_estimators_build takes
 * like a pipeline. names and nodes: [n], kept; made in arena. guessed: nobody asked for the chain,
 * so it is CORRUPT when the names of columns speak against it. NULL when out of memory.
 */
const ftl_node *ftl_chain_node(ftl_arena *arena, const char *const *names,
                               const ftl_node *const *nodes, size_t n, bool guessed);

#endif
