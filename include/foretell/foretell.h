/*
 * foretell: runs saved tabular models exactly, without Python and without executing what is in the
 * file.
 *
 * Conventions
 *  - Every function that can fail returns ftl_status and takes a caller-owned ftl_error *, which
 *    may be NULL. Out parameters stay untouched on failure. The library never prints and never
 *    aborts.
 *  - Options structs start with struct_size: set it to sizeof the struct; zero in any other field
 *    means the default. Structs of facts that the library fills start with it, too: the caller sets
 *    it, no more than that is written, and what this library does not know is zeroed. A struct_size
 *    of 0 is ARG.
 *  - Thread-safety: ftl_context and ftl_model may be used from any thread at once. An ftl_session
 *    belongs to one thread at a time.
 *  - Strings are UTF-8. Strings returned as const char * live as long as the object they came from.
 */
#ifndef FORETELL_FORETELL_H
#define FORETELL_FORETELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define FTL_API
#elif defined(FTL_BUILDING)
#define FTL_API __attribute__((visibility("default")))
#else
#define FTL_API
#endif

#if defined(__GNUC__)
#define FTL_MUST_USE __attribute__((warn_unused_result))
#else
#define FTL_MUST_USE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status and error ------------------------------------------------------------------------ */

/* Append-only. */
typedef enum ftl_status {
    FTL_OK = 0,
    FTL_END = 1,         /* no more rows or bytes; not an error */
    FTL_ARG = 2,         /* the caller's argument is unusable */
    FTL_NOMEM = 3,       /* the allocator failed */
    FTL_IO = 4,          /* the operating system refused a read, a write or an open */
    FTL_CORRUPT = 5,     /* the model file is damaged or not what it claims to be */
    FTL_UNSUPPORTED = 6, /* a class, parameter or version that foretell does not run */
    /* the file asks for something that is never done, such as calling a function */
    FTL_FORBIDDEN = 7,
    FTL_LIMIT = 8,      /* a budget (bytes, objects, depth, memory) was exceeded */
    FTL_SHAPE = 9,      /* the number of columns or rows does not fit the model */
    FTL_SCHEMA = 10,    /* columns are missing, duplicated or of the wrong kind */
    FTL_CANCELLED = 11, /* the caller's callback or token asked to stop */
    FTL_VALUE = 12,   /* a cell that the model refuses, by the rule of the library that wrote it */
    FTL_INTERNAL = 13 /* a bug in foretell */
} ftl_status;

/* Name of a status, such as "CORRUPT". Never NULL. */
FTL_API const char *ftl_status_name(ftl_status status);

/*
 * Why, more finely than the status: for programs that decide by it. NONE: the status says all.
 * Append-only.
 */
typedef enum ftl_reason {
    FTL_REASON_NONE = 0,
    FTL_REASON_STRUCT_SIZE = 1,       /* a struct_size that was not set */
    FTL_REASON_BAD_OPTION = 2,        /* the value of the option, or where it is given */
    FTL_REASON_NEEDS_OPTION = 3,      /* the option would help */
    FTL_REASON_UNKNOWN_METHOD = 4,    /* there is no method of that name or number */
    FTL_REASON_METHOD_MISSING = 5,    /* the model's class does not have the method */
    FTL_REASON_MISSING_COLUMNS = 6,   /* the table lacks columns */
    FTL_REASON_DUPLICATE_COLUMN = 7,  /* a column is there more than once */
    FTL_REASON_COLUMN_COUNT = 8,      /* too few or too many columns */
    FTL_REASON_COLUMN_TYPE = 9,       /* text where numbers are wanted, or the other way round */
    FTL_REASON_NO_HEADER = 10,        /* columns are wanted by name and the table has no names */
    FTL_REASON_RAGGED_ROW = 11,       /* a record has more or fewer cells than the header */
    FTL_REASON_OPEN_QUOTE = 12,       /* a quote that is never closed */
    FTL_REASON_RECORD_SIZE = 13,      /* a record is longer than the limit */
    FTL_REASON_BAD_CELL = 14,         /* a cell that cannot be read as what the column is */
    FTL_REASON_ROW_REFUSED = 15,      /* the library that wrote the model would raise on the row */
    FTL_REASON_UNKNOWN_CATEGORY = 16, /* the same, for a category that training had not seen */
    FTL_REASON_MISSING_VALUE = 17,    /* the same, for a missing value */
    FTL_REASON_INFINITE_VALUE = 18,   /* the same, for an infinite or too large value */
    FTL_REASON_FILE_CHANGED = 19,     /* the file was rewritten while it was read */
    FTL_REASON_NOBODY_READS = 20,     /* who read the pipe that is written to has ended */
    FTL_REASON_SAME_FILE = 21, /* the output is a file that the work reads or writes anyway */
    FTL_REASON_PLAN_SIZE = 22  /* of the model: a plan of it would take too much memory */
} ftl_reason;

/* Name of a reason, such as "MISSING_COLUMNS". Never NULL. */
FTL_API const char *ftl_reason_name(ftl_reason reason);

#define FTL_ERROR_PATH_SIZE 256
#define FTL_ERROR_OPTION_SIZE 32
#define FTL_ERROR_MESSAGE_SIZE 768

/* Caller-owned. Positions that do not apply are -1. */
typedef struct ftl_error {
    ftl_status code;
    int64_t offset; /* byte offset in the (decompressed) model stream */
    int64_t line;   /* 1-based line of a text file, header included */
    int64_t row;    /* 0-based data row */
    int64_t column; /* 0-based column */
    /* dotted path into the model, such as steps[1].estimators_[3] */
    char path[FTL_ERROR_PATH_SIZE];
    /* one line: what, where, what to do; a field of an options struct is called options.FIELD */
    char message[FTL_ERROR_MESSAGE_SIZE];
    ftl_reason reason;
    char option[FTL_ERROR_OPTION_SIZE]; /* the field of an options struct to look at; "": none */
} ftl_error;

/* Library version, such as "0.1.0". */
FTL_API const char *ftl_version(void);

/* ---- Context --------------------------------------------------------------------------------- */

typedef struct ftl_context ftl_context;
typedef struct ftl_model ftl_model;
typedef struct ftl_session ftl_session;

/* malloc-like functions; realloc_fn(user, NULL, n) allocates. Alignment: as malloc (16 bytes). */
typedef struct ftl_allocator {
    void *(*realloc_fn)(void *user, void *pointer, size_t size);
    void (*free_fn)(void *user, void *pointer);
    void *user;
} ftl_allocator;

typedef struct ftl_context_options {
    size_t struct_size;
    const ftl_allocator *allocator; /* copied; NULL: the C library's */
    /* bytes that models, plans and sessions may hold together; 0: no limit */
    uint64_t memory_limit;
    /*
     * threads that work for file jobs, the calling ones not counted. They are started when there is
     * work for them and end with the context; the child of a fork starts its own. 0: one per CPU
     * that the process may use, by its affinity and its control groups' quotas
     */
    uint32_t threads;
} ftl_context_options;

FTL_API FTL_MUST_USE ftl_status ftl_context_create(const ftl_context_options *options,
                                                   ftl_context **out, ftl_error *error);
/* Models must be released before their context. NULL is allowed. */
FTL_API void ftl_context_destroy(ftl_context *context);
/* Bytes now held by the context's models, plans and sessions. */
FTL_API uint64_t ftl_context_memory_used(const ftl_context *context);

/*
 * A token that stops work: give it to a job or a session, trigger it from anywhere, and what they
 * do ends with CANCELLED within a block of rows; a job's waiting for a slow pipe, too, and it
 * leaves no file behind. It is destroyed after the work that has it and before its context. Once
 * triggered it stays so.
 */
typedef struct ftl_cancel ftl_cancel;
FTL_API FTL_MUST_USE ftl_status ftl_cancel_create(ftl_context *context, ftl_cancel **out,
                                                  ftl_error *error);
/* One atomic store: any thread may call it, and a signal handler. */
FTL_API void ftl_cancel_trigger(ftl_cancel *cancel);
FTL_API bool ftl_cancel_triggered(const ftl_cancel *cancel); /* false for NULL */
FTL_API void ftl_cancel_destroy(ftl_cancel *cancel);         /* NULL is allowed */

/* ---- Data ------------------------------------------------------------------------------------ */

/* Append-only. What Arrow calls the type stands beside it. */
typedef enum ftl_type {
    FTL_F64 = 0,    /* float64 */
    FTL_F32 = 1,    /* float32 */
    FTL_I64 = 2,    /* int64 */
    FTL_BOOL = 3,   /* one byte a row, zero or not; Arrow's own bools are FTL_BIT */
    FTL_STRING = 4, /* utf8 */
    FTL_I8 = 5,
    FTL_I16 = 6,
    FTL_I32 = 7,
    FTL_U8 = 8,
    FTL_U16 = 9,
    FTL_U32 = 10,
    FTL_U64 = 11,
    FTL_F16 = 12,          /* halffloat */
    FTL_BIT = 13,          /* bool: one bit a row, least significant first */
    FTL_LARGE_STRING = 14, /* large_utf8 */
    FTL_STRING_VIEW = 15,  /* utf8_view */
    FTL_DICTIONARY = 16,   /* integers that count the rows of another column */
    FTL_NULL = 17,         /* null: every row is missing */
    FTL_DECIMAL32 = 18,    /* decimals: integers of so many bits over 10**scale */
    FTL_DECIMAL64 = 19,
    FTL_DECIMAL128 = 20,
    FTL_DECIMAL256 = 21
} ftl_type;

/*
 * For FTL_STRING: the text of a null is what stood in a file ("NA"), and a category of that very
 * text wins over the missing value. Without the flag a null's text is not looked at.
 */
#define FTL_COLUMN_NULL_TEXT 1u

/*
 * One column of a batch: a borrowed view of an Arrow array, or of numbers at a distance of their
 * own. Row r lies at index offset + r of everything: values, offsets and validity. Fields that the
 * type does not name are zero.
 *
 *  - validity: one bit an index, least significant first, 1 = valid; NULL = all valid. A null is
 *    missing: NaN among numbers, and not the empty text among texts.
 *  - numbers, decimals and FTL_BOOL: values is an array; stride is the distance between rows in
 * bytes, of either sign; 0 means contiguous. They need no alignment.
 *  - FTL_STRING, FTL_LARGE_STRING: the text is bytes offsets[i] .. offsets[i + 1) (or
 *    large_offsets) of values.
 *  - FTL_STRING_VIEW: values are Arrow's views of 16 bytes; texts of more than 12 bytes lie in
 *    buffers[0 .. n_buffers), of buffer_sizes bytes.
 *  - FTL_DICTIONARY: values are integers of index_type, which count the dictionary_rows rows of
 *    *dictionary, a column of any other type.
 *
 * Every type is taken for every input: text is read as a number and a number stands as its text by
 * the rules of CSV cells (docs/ARROW.md). Offsets, views and indices are checked before they are
 * followed.
 */
typedef struct ftl_column {
    ftl_type type;
    const void *values;
    const uint32_t *offsets;
    const uint8_t *validity;
    ptrdiff_t stride;
    size_t offset;
    const int64_t *large_offsets;
    const void *const *buffers;
    const int64_t *buffer_sizes;
    size_t n_buffers;
    const struct ftl_column *dictionary;
    size_t dictionary_rows;
    ftl_type index_type;
    uint32_t flags; /* FTL_COLUMN_ */
    int32_t scale;  /* of decimals: -1000 to 1000 */
} ftl_column;

/*
 * Borrowed view of numbers; data[r * row_stride + c * column_stride] in elements. dtype F32 or F64;
 * NaN = missing.
 */
typedef struct ftl_matrix {
    const void *data;
    ftl_type dtype;
    size_t rows, columns;
    ptrdiff_t row_stride, column_stride;
} ftl_matrix;

/* The caller's room for numbers, laid out as in ftl_matrix. */
typedef struct ftl_matrix_out {
    void *data;
    ftl_type dtype; /* F64; or F32: every number is rounded to the nearest float32 */
    size_t rows, columns;
    ptrdiff_t row_stride, column_stride;
} ftl_matrix_out;

/*
 * Columns in the order of the model's schema (input) or of its outputs (output). A column that the
 * model does not use (FTL_KIND_UNUSED) is not looked at. When matrix is set, columns is ignored.
 */
typedef struct ftl_batch {
    size_t rows;
    size_t n_columns;
    const ftl_column *columns;
    const ftl_matrix *matrix;
} ftl_batch;

/* ---- Models ---------------------------------------------------------------------------------- */

typedef enum ftl_method {
    FTL_PREDICT = 0,
    FTL_PREDICT_PROBA = 1,
    FTL_PREDICT_LOG_PROBA = 2,
    FTL_DECISION_FUNCTION = 3,
    FTL_TRANSFORM = 4,
    FTL_SCORE_SAMPLES = 5,
    FTL_APPLY = 6,
    FTL_MARGIN = 7,     /* boosters: the raw score, before any link */
    FTL_KNEIGHBORS = 8, /* neighbors: distances and indices of the nearest training rows */
    /* of a model that was opened as its inverse: see ftl_model_options */
    FTL_INVERSE_TRANSFORM = 9,
    FTL_METHOD_COUNT = 10
} ftl_method;

/* The method's name: scikit-learn's, such as "predict_proba", or margin; NULL when out of range. */
FTL_API const char *ftl_method_name(ftl_method method);
/* Finds a method by that name. */
FTL_API FTL_MUST_USE ftl_status ftl_method_parse(const char *name, ftl_method *out,
                                                 ftl_error *error);

#define FTL_ITERATIONS_ALL UINT32_MAX

typedef struct ftl_model_options {
    size_t struct_size;
    /* after decompression; 0: the larger of 256 MiB and 1000 times the file, 64 GiB at most */
    uint64_t max_bytes;
    uint64_t max_objects; /* objects of a pickle; 0: 50 million */
    uint32_t max_depth;   /* nesting of objects; 0: 500 */
    /*
     * Iterations of the XGBoost, LightGBM and CatBoost models in the file that every method uses,
     * from the first one on: XGBoost's iteration_range=(0, n), LightGBM's num_iteration=n,
     * CatBoost's ntree_end=n. FTL_ITERATIONS_ALL: all. 0: as the library does it by itself, such as
     * those up to the best iteration that early stopping found. ARG when a model has fewer, or the
     * file none.
     */
    uint32_t iterations;
    /*
     * Of a file that holds a dict, list or tuple: the entry that is the model, such as "model", "0"
     * or "models.first". NULL: the only one; a file with several opens without methods, and inspect
     * lists them.
     */
    const char *select;
    /*
     * For a model that serves one kind of call, as in a server: the one plan that it will ever run.
     * It is made while the model opens, and what plans are made of is given back, which for a large
     * forest is most of the memory. Other plans are ARG then, and so are ftl_model_write and
     * ftl_model_graph. UNSUPPORTED for models of open width. NULL: plans are made when they are
     * asked for, and the model keeps what they are made of.
     */
    const struct ftl_plan_options *only_plan;
    /*
     * Files whose models come after this one's, in this order: each "PATH", or "PATH:ENTRY" for an
     * entry of a dict, list or tuple. The parts run as the steps of a pipeline do: what one
     * transforms goes into the next, and the last one answers.
     */
    const char *const *then;
    size_t n_then;
    /*
     * Names for the classes of a classifier that predicts their numbers: the LabelEncoder that made
     * the numbers, a list of names, or a dict of number to name or name to number. "PATH",
     * "PATH:ENTRY", or ":ENTRY" of the model's own file. NULL: a LabelEncoder that stands beside
     * the only model of a file and fits it, if any; else none.
     */
    const char *labels;
    /*
     * threshold_set: predict of a classifier of two classes says the second one where its
     * probability is at least threshold
     */
    double threshold;
    bool threshold_set;
    /*
     * The way back of a transformer: the model takes what transform gives, and its only method is
     * inverse_transform. Scalers, LabelEncoder, OneHotEncoder, OrdinalEncoder, PCA and its kin,
     * feature selectors, and pipelines and searches of them; ARG for other models.
     */
    bool inverse;
    /*
     * predict of a model that tells classes by scores alone, as boosters that were saved by
     * themselves do, gives the class: what their library's classifier would say. labels wants it,
     * too. Other models predict as ever.
     */
    bool classes;
} ftl_model_options;

/*
 * Reads a model file; the format is found by its first bytes. "PATH:ENTRY" is an entry of the file,
 * as options->select would name it, where no file has that whole name. The file may be rewritten or
 * removed afterwards. Of a dict, list or tuple with one predictor and what stands before it, such
 * as a scaler, both run as one chain when they fit; a list of as many columns as the model takes
 * gives their names. ftl_model_info's note says what was made of such a file.
 */
FTL_API FTL_MUST_USE ftl_status ftl_model_open(ftl_context *context, const char *path,
                                               const ftl_model_options *options, ftl_model **out,
                                               ftl_error *error);
/* The same from memory, which is not kept. Side files of old joblib dumps are refused here. */
FTL_API FTL_MUST_USE ftl_status ftl_model_open_memory(ftl_context *context, const void *data,
                                                      size_t size, const ftl_model_options *options,
                                                      ftl_model **out, ftl_error *error);
/*
 * The same model for n_inputs columns, when the file does not say how many it takes (open_width:
 * old versions' Normalizer and FunctionTransformer). File jobs and ftl_predict do this themselves;
 * ftl_predict_matrix, whose caller must know how much room the result takes, does not. ARG for
 * other models.
 */
FTL_API FTL_MUST_USE ftl_status ftl_model_with_inputs(const ftl_model *model, size_t n_inputs,
                                                      ftl_model **out, ftl_error *error);
FTL_API ftl_model *ftl_model_retain(ftl_model *model);
FTL_API void ftl_model_release(ftl_model *model); /* NULL is allowed */
/*
 * A number that no other model of the context has or had: what was found out about a model can be
 * kept by it, without holding the model.
 */
FTL_API uint64_t ftl_model_serial(const ftl_model *model);

typedef enum ftl_model_kind {
    FTL_CLASSIFIER = 0,
    FTL_REGRESSOR = 1,
    FTL_TRANSFORMER = 2,
    FTL_OTHER_MODEL = 3,
    FTL_CLUSTERER = 4,
    FTL_OUTLIER_DETECTOR = 5
} ftl_model_kind;

/* "classifier", "outlier detector", …; "model" for others; NULL when out of range. Static. */
FTL_API const char *ftl_model_kind_name(ftl_model_kind kind);

/* A class that foretell runs when it finds it in a model file. Texts are static. */
typedef struct ftl_class_info {
    size_t struct_size;  /* set by the caller */
    const char *library; /* such as scikit-learn */
    const char *package; /* such as sklearn.ensemble: the module is it or below it */
    const char *name;    /* such as RandomForestClassifier */
    ftl_model_kind kind;
} ftl_class_info;

/* The classes that foretell runs: index counts from 0; ARG behind the last. */
FTL_API FTL_MUST_USE ftl_status ftl_supported_class(size_t index, ftl_class_info *out);

typedef struct ftl_model_info {
    size_t struct_size; /* set by the caller */
    ftl_model_kind kind;
    const char *class_name;      /* such as sklearn.pipeline.Pipeline */
    const char *library;         /* such as scikit-learn */
    const char *library_version; /* version that wrote the model; "" when the file does not say */
    uint64_t bytes;              /* memory held by the model itself */
    uint64_t plan_bytes;         /* by its plans */
    uint64_t session_bytes;      /* by its plans' sessions, idle or borrowed */
    uint64_t file_bytes;
    ftl_method default_method; /* predict, or transform for a transformer */
    size_t n_inputs;
    bool has_input_names; /* the model knows its columns by name */
    /* the file does not say how many columns the model takes: see ftl_model_with_inputs */
    bool open_width;
    /*
     * Libraries in the model of versions newer than those that foretell was tested with, such as
     * "scikit-learn 1.10.0 (tested up to 1.9)"; NULL: none. Their answers may differ.
     */
    const char *newer;
    /* the entries of a file, or the files, that the model is, such as "scaler,model"; NULL: one
     * file that is the model */
    const char *parts;
    /* one line of what was decided about a file of several things; "" when there is nothing to say
     */
    const char *note;
} ftl_model_info;

FTL_API FTL_MUST_USE ftl_status ftl_model_get_info(const ftl_model *model, ftl_model_info *out);
FTL_API bool ftl_model_has_method(const ftl_model *model, ftl_method method);
/*
 * OK, or why the model cannot run a method: ARG when its class has none of that name, UNSUPPORTED
 * with the place in the model.
 */
FTL_API FTL_MUST_USE ftl_status ftl_model_method_status(const ftl_model *model, ftl_method method,
                                                        ftl_error *error);

typedef enum ftl_column_kind {
    FTL_KIND_NUMERIC = 0, /* a number; empty or NA is NaN */
    FTL_KIND_STRING = 1,  /* text */
    FTL_KIND_BOOL = 2,    /* True/False */
    /* text that may stand for a number, a bool or a string among the categories */
    FTL_KIND_MIXED = 3,
    FTL_KIND_UNUSED = 4 /* the model expects the column but never looks at it */
} ftl_column_kind;

typedef enum ftl_missing_rule {
    FTL_MISSING_NAN = 0,    /* a missing cell is NaN and the model takes it */
    FTL_MISSING_NONE = 1,   /* a missing cell is None */
    FTL_MISSING_REFUSED = 2 /* the library raises on a missing cell */
} ftl_missing_rule;

/*
 * One input column of a model: how a CSV cell, a JSON value or a Parquet column becomes an input.
 */
typedef struct ftl_schema_column {
    size_t struct_size; /* set by the caller */
    const char *name;   /* NULL for models without names */
    ftl_column_kind kind;
    ftl_missing_rule missing;
    ftl_type batch_type; /* what the model reads here: F64 numbers or STRING; columns convert */
} ftl_schema_column;

FTL_API FTL_MUST_USE ftl_status ftl_model_input(const ftl_model *model, size_t index,
                                                ftl_schema_column *out);

typedef struct ftl_output_column {
    size_t struct_size; /* set by the caller */
    const char *name;   /* such as prediction, probability_yes, decision_2 */
    ftl_type type;
} ftl_output_column;

/* Number of columns that a method yields; 0 when the model lacks the method. */
FTL_API size_t ftl_model_output_count(const ftl_model *model, ftl_method method);
FTL_API FTL_MUST_USE ftl_status ftl_model_output(const ftl_model *model, ftl_method method,
                                                 size_t index, ftl_output_column *out);

/*
 * Of a method with one output column: whether the library's own result has two dimensions all the
 * same, as that of a regressor that was fitted on a y of shape (n, 1).
 */
FTL_API bool ftl_model_result_is_matrix(const ftl_model *model, ftl_method method);

/* A class of a classifier, as it stands in the model. */
typedef struct ftl_label {
    size_t struct_size; /* set by the caller */
    ftl_type type;      /* I64, BOOL, F64 or STRING */
    int64_t integer;    /* I64; BOOL: 0 or 1 */
    double number;      /* F64 */
    const char *text;   /* STRING: size bytes, not terminated */
    size_t size;
    /*
     * numpy's name of the dtype of the model's classes_, such as "int32", "<U3" or "object"; NULL
     * where the file has no such array
     */
    const char *dtype;
} ftl_label;

/* Targets that have classes: 1 for most classifiers, 0 for models without. */
FTL_API size_t ftl_model_target_count(const ftl_model *model);
/* Classes of a target; 0 when there is no such target. */
FTL_API size_t ftl_model_class_count(const ftl_model *model, size_t target);
/* A class, in the order of the model's classes_; ARG when there is none. */
FTL_API FTL_MUST_USE ftl_status ftl_model_class(const ftl_model *model, size_t target, size_t index,
                                                ftl_label *out);

/* Receives size bytes of text and a zero byte behind them; return false to stop. */
typedef bool (*ftl_text_fn)(void *user, const char *text, size_t size);
/*
 * What `foretell inspect` prints: steps, classes, schema, outputs, versions, size. json: one JSON
 * object.
 */
FTL_API FTL_MUST_USE ftl_status ftl_model_describe(const ftl_model *model, bool json,
                                                   ftl_text_fn write, void *user, ftl_error *error);

/* ---- Plans ----------------------------------------------------------------------------------- */

/*
 * A plan is a model made ready to run: for one type of numeric input and a set of methods.
 * Immutable, reference-counted, usable from any thread. A model keeps the plans that it made, so
 * asking for one again is cheap; a plan lives at least as long as somebody holds it, and holds its
 * model. It has a pool of sessions.
 */
typedef struct ftl_plan ftl_plan;

typedef struct ftl_plan_options {
    size_t struct_size;
    /* F64 or F32: what numeric inputs are; decides the arithmetic as in the source library */
    ftl_type input_dtype;
    uint32_t methods;    /* bit set of 1u << ftl_method; 0: every method the model has */
    uint32_t block_rows; /* rows computed together at most; 0: chosen. Results never depend on it */
    /*
     * of ftl_model_plan alone: END with *out untouched where the plan would have to be made or
     * somebody is making it, for a thread that may not wait
     */
    bool no_wait;
} ftl_plan_options;

/*
 * The model's plan for these options, which may run more methods than were asked for. The first
 * caller makes it, others wait meanwhile; it is kept by the model until it is trimmed. The caller
 * holds a reference: ftl_plan_release. ARG or UNSUPPORTED when the model lacks a method.
 */
FTL_API FTL_MUST_USE ftl_status ftl_model_plan(ftl_model *model, const ftl_plan_options *options,
                                               ftl_plan **out, ftl_error *error);
FTL_API ftl_plan *ftl_plan_retain(ftl_plan *plan);
FTL_API void ftl_plan_release(ftl_plan *plan); /* NULL is allowed */

typedef struct ftl_plan_info {
    size_t struct_size; /* set by the caller */
    ftl_type input_dtype;
    uint32_t methods;
    uint32_t block_rows;
    uint32_t idle_sessions; /* that wait in the pool */
    uint64_t bytes;         /* of the plan itself */
    uint64_t session_bytes; /* of its sessions, idle or borrowed */
} ftl_plan_info;
FTL_API FTL_MUST_USE ftl_status ftl_plan_get_info(const ftl_plan *plan, ftl_plan_info *out);

/*
 * Gives back the plans that nobody holds and the sessions that wait in pools. This also happens by
 * itself when the context's memory limit is reached. Thread-safe.
 */
FTL_API void ftl_model_trim(ftl_model *model);

/* ---- Sessions and prediction ----------------------------------------------------------------- */

typedef enum ftl_on_error {
    FTL_ON_ERROR_FAIL = 0, /* the first bad row ends the work */
    FTL_ON_ERROR_SKIP = 1, /* file jobs: bad rows are left out */
    FTL_ON_ERROR_NULL = 2  /* bad rows have empty outputs */
} ftl_on_error;

/*
 * A session of the plan from its pool, or a new one when all are in use: a small workspace for one
 * thread, with room for as many rows as it has seen. Its on_error is FAIL, and it has no token that
 * cancels. Thread-safe. The session holds the plan until it goes back with ftl_plan_return, from
 * any thread; what ftl_predict gave is invalid then.
 */
FTL_API FTL_MUST_USE ftl_status ftl_plan_borrow(ftl_plan *plan, ftl_session **out,
                                                ftl_error *error);
FTL_API void ftl_plan_return(ftl_session *session); /* NULL is allowed */

typedef struct ftl_session_options {
    size_t struct_size;
    /* as in ftl_plan_options */
    ftl_type input_dtype;
    uint32_t methods;
    uint32_t block_rows;
    ftl_on_error on_error; /* FAIL or NULL */
} ftl_session_options;

/* A session of one's own: a plan from ftl_model_plan and a workspace for it. */
FTL_API FTL_MUST_USE ftl_status ftl_session_create(ftl_model *model,
                                                   const ftl_session_options *options,
                                                   ftl_session **out, ftl_error *error);
FTL_API void ftl_session_destroy(ftl_session *session); /* NULL is allowed */
/* FAIL or NULL; for sessions that were borrowed. ARG for anything else. */
FTL_API FTL_MUST_USE ftl_status ftl_session_set_on_error(ftl_session *session,
                                                         ftl_on_error on_error);
/*
 * What the session computes ends with CANCELLED within a block of rows once the token is triggered;
 * a run that ended so has no results. The token is borrowed until another is set, NULL for none, or
 * the session goes back to its pool.
 */
FTL_API FTL_MUST_USE ftl_status ftl_session_set_cancel(ftl_session *session,
                                                       const ftl_cancel *cancel);

/*
 * Computes several methods (bit set) of a batch in one pass, on the calling thread: what they share
 * is computed once. Their outputs: ftl_session_result. Otherwise as ftl_predict.
 */
FTL_API FTL_MUST_USE ftl_status ftl_session_run(ftl_session *session, uint32_t methods,
                                                const ftl_batch *in, ftl_error *error);
/*
 * *out: the columns of a method of the last ftl_session_run, owned by the session and valid until
 * its next call. ARG when the run did not compute that method.
 */
FTL_API FTL_MUST_USE ftl_status ftl_session_result(const ftl_session *session, ftl_method method,
                                                   ftl_batch *out, ftl_error *error);
/*
 * Predicts a batch on the calling thread. in has the model's schema columns in order (or is a
 * matrix). *out is filled with columns owned by the session, valid until its next call. With
 * FTL_ON_ERROR_NULL bad rows are invalid in every output column and ftl_session_bad_rows() counts
 * them. VALUE errors name row and column.
 */
FTL_API FTL_MUST_USE ftl_status ftl_predict(ftl_session *session, ftl_method method,
                                            const ftl_batch *in, ftl_batch *out, ftl_error *error);
/*
 * The same for numbers alone: in->rows x output_count doubles into out, row-major. Labels that are
 * not numbers are written as the index of their class.
 */
FTL_API FTL_MUST_USE ftl_status ftl_predict_matrix(ftl_session *session, ftl_method method,
                                                   const ftl_matrix *in, double *out,
                                                   ftl_error *error);
/*
 * Output columns with the types that this session yields: as ftl_model_output, but F32 where the
 * source library's result is float32 for float32 input.
 */
FTL_API FTL_MUST_USE ftl_status ftl_session_output(const ftl_session *session, ftl_method method,
                                                   size_t index, ftl_output_column *out);
/*
 * The same into the caller's room: numbers of in->rows rows and as many columns as the method has
 * outputs. Labels that are not numbers are written as the index of their class, rows that are bad
 * under FTL_ON_ERROR_NULL as NaN. SCHEMA for outputs that are text, SHAPE for a room of another
 * size.
 */
FTL_API FTL_MUST_USE ftl_status ftl_predict_into(ftl_session *session, ftl_method method,
                                                 const ftl_batch *in, const ftl_matrix_out *out,
                                                 ftl_error *error);
/* Where the numbers of a method go: room as in ftl_predict_into. */
typedef struct ftl_result_room {
    ftl_method method;
    /*
     * predict of a classifier: the index of the class among those of its target (ftl_model_class),
     * also where classes are numbers; of other outputs it changes nothing
     */
    bool class_index;
    ftl_matrix_out room;
} ftl_result_room;

/*
 * Several methods of a batch in one pass, each into the caller's room: ftl_predict_into for n
 * rooms, which are of different methods. ftl_session_result has nothing to show afterwards.
 */
FTL_API FTL_MUST_USE ftl_status ftl_session_run_into(ftl_session *session, const ftl_batch *in,
                                                     const ftl_result_room *rooms, size_t n_rooms,
                                                     ftl_error *error);
/*
 * The same for the Arrow C data interface (foretell/arrow.h): a record batch in, a record batch
 * out. methods: bit set of 1u << ftl_method, 0: all that the session's plan runs; the outputs are
 * the columns of each method in the order of ftl_method.
 *
 * Columns are matched by name with the model's inputs, others are ignored; by position for models
 * without names. Columns that the model does not use may be of any type, or anything at all. Every
 * other problem of the structures is ARG, of the columns SCHEMA or SHAPE, with the column's name.
 * A schema that equals the last call's is not matched again. schema and in are borrowed and not
 * released.
 *
 * out_schema (NULL: not wanted) and out are filled with structures that the caller releases; they
 * own their memory and outlive the session, the model and the context, but not its allocator.
 * Floats are float64 or float32, ints int64, bools bool, texts utf8. Missing texts are null, and so
 * are bad rows under FTL_ON_ERROR_NULL.
 */
struct ArrowSchema;
struct ArrowArray;
FTL_API FTL_MUST_USE ftl_status ftl_predict_arrow(ftl_session *session, uint32_t methods,
                                                  const struct ArrowSchema *schema,
                                                  const struct ArrowArray *in,
                                                  struct ArrowSchema *out_schema,
                                                  struct ArrowArray *out, ftl_error *error);
/* Bad rows of the last ftl_predict under FTL_ON_ERROR_NULL. */
FTL_API size_t ftl_session_bad_rows(const ftl_session *session);
/*
 * Why the index-th of them is bad: its code, row, message, path and, where an input is to blame,
 * column, which is the input's position (ftl_model_input tells its name; otherwise -1). The row is
 * computed again for that, so the batch of the last call must still be as it was; the outputs of
 * that call stay. END when index is not below ftl_session_bad_rows.
 */
FTL_API FTL_MUST_USE ftl_status ftl_session_bad_row(ftl_session *session, size_t index,
                                                    ftl_error *why);

typedef struct ftl_parallel_options {
    size_t struct_size;
    uint32_t threads;         /* at most the context's; 0: all of them */
    ftl_on_error on_error;    /* FAIL or NULL: bad rows are NaN in every output */
    const ftl_cancel *cancel; /* asked before each block of rows; NULL: none */
} ftl_parallel_options;

/*
 * As ftl_predict_matrix, on several threads of the plan's context, the calling one among them; the
 * same numbers, and on failure the same error. Few rows stay on the calling thread. *bad_rows (may
 * be NULL) receives how many rows were bad under NULL. options may be NULL. Thread-safe.
 */
FTL_API FTL_MUST_USE ftl_status ftl_predict_parallel(ftl_plan *plan, ftl_method method,
                                                     const ftl_matrix *in, double *out,
                                                     const ftl_parallel_options *options,
                                                     size_t *bad_rows, ftl_error *error);
/*
 * ftl_session_run_into on several threads, as ftl_predict_parallel does it: any batch, several
 * methods in one pass. A model of open width takes as many columns as it was opened for.
 */
FTL_API FTL_MUST_USE ftl_status ftl_plan_run_into(ftl_plan *plan, const ftl_batch *in,
                                                  const ftl_result_room *rooms, size_t n_rooms,
                                                  const ftl_parallel_options *options,
                                                  size_t *bad_rows, ftl_error *error);

#ifdef __cplusplus
}
#endif

#include "foretell/jobs.h"

#endif
