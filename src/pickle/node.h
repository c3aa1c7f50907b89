/*
 * The inert object graph that a pickle becomes. Classes and functions are names; nothing is ever
 * called. numpy arrays, scalars, dtypes and scipy sparse matrices are rebuilt into typed nodes;
 * every other object keeps its class name, constructor arguments and state. All nodes live in one
 * arena and are immutable after loading. Pickles may share nodes and may contain cycles: walkers
 * bound their depth.
 */
#ifndef FTL_PICKLE_NODE_H
#define FTL_PICKLE_NODE_H

#include "base/arena.h"

typedef enum ftl_node_kind {
    FTL_NODE_NONE,
    FTL_NODE_BOOL,
    FTL_NODE_INT,    /* fits int64 */
    FTL_NODE_BIGINT, /* two's complement little-endian bytes in str */
    FTL_NODE_FLOAT,
    FTL_NODE_STR,   /* UTF-8 (lone surrogates as their three-byte forms) */
    FTL_NODE_BYTES, /* bytes and bytearray */
    FTL_NODE_TUPLE,
    FTL_NODE_LIST,
    FTL_NODE_SET, /* set and frozenset */
    /* also OrderedDict, defaultdict, Bunch-like dict subclasses when they carry items */
    FTL_NODE_DICT,
    FTL_NODE_GLOBAL, /* a class or function by name */
    /* an instance, or the inert result of an unknown callable (named by the callable) */
    FTL_NODE_OBJECT,
    FTL_NODE_DTYPE, /* numpy dtype */
    /* numpy array; numpy scalars are arrays of 0 dimensions, but numpy.str_ is STR, bytes_ BYTES */
    FTL_NODE_ARRAY,
    FTL_NODE_SPARSE,    /* scipy csr, csc */
    FTL_NODE_PERSISTENT /* persistent id */
} ftl_node_kind;

typedef struct ftl_node ftl_node;

typedef struct ftl_node_string {
    const char *data; /* NUL-terminated, may contain NUL */
    size_t size;
} ftl_node_string;

typedef struct ftl_node_sequence {
    ftl_node **items;
    size_t size, room;
} ftl_node_sequence;

/* Key and value pairs in insertion order; later duplicates of a string key replace the earlier
 * value. */
typedef struct ftl_node_dict {
    ftl_node **keys;
    ftl_node **values;
    size_t size, room;
    /* A large dict's hash table over its text keys, made when loading ends; else NULL. slots[0] + 1
     * is the number of slots that follow, each the index of a pair + 1, or 0. */
    uint32_t *slots;
} ftl_node_dict;

typedef struct ftl_node_object {
    const char *module;       /* such as sklearn.ensemble._forest, as written in the file */
    const char *name;         /* such as RandomForestClassifier (dotted for nested classes) */
    ftl_node *args;           /* tuple, or NULL */
    ftl_node *state;          /* what BUILD gave, or NULL: usually a dict of attributes */
    ftl_node_sequence items;  /* APPEND(S) into the object */
    ftl_node_dict dict_items; /* SETITEM(S) into the object */
    size_t offset;            /* where in the stream the object was made, for error messages */
} ftl_node_object;

enum { FTL_MAX_DIMS = 8 };

typedef struct ftl_dtype_field {
    const char *name;
    const struct ftl_dtype *dtype;
    uint32_t offset;
} ftl_dtype_field;

/*
 * numpy dtype. kind is numpy's letter: b i u f c S U V O M m. Data in arrays is always
 * native-endian after loading. Fields are leaves: a field that is itself structured or a sub-array
 * is an opaque V of its size.
 */
typedef struct ftl_dtype {
    char kind;
    bool swapped;       /* the file's byte order differs from this machine's */
    uint32_t item_size; /* bytes */
    uint32_t n_fields;  /* > 0: structured */
    const ftl_dtype_field *fields;
} ftl_dtype;

typedef struct ftl_node_array {
    const ftl_dtype *dtype;
    uint32_t ndim;
    bool fortran; /* column-major data */
    size_t shape[FTL_MAX_DIMS];
    size_t size;      /* product of shape */
    const void *data; /* size * item_size bytes, 64-byte aligned; NULL when objects is set */
    ftl_node *
        *objects; /* size nodes, in C order: kind 'O', or a structured dtype with object fields */
    ftl_node_string text; /* a U array of 0 dimensions: its text; else data is NULL */
    /* not NULL: of the rows in the file only those that a projection chose by this array */
    const struct ftl_node_array *rows_of;
} ftl_node_array;

typedef struct ftl_node_sparse {
    bool csc; /* else csr */
    size_t rows, columns;
    const ftl_node *data, *indices,
        *indptr; /* 1-d arrays, validated: indptr monotone, indices in range */
} ftl_node_sparse;

struct ftl_node {
    ftl_node_kind kind;
    union {
        bool boolean;
        int64_t integer;
        double number;
        ftl_node_string str;   /* STR, BYTES, BIGINT */
        ftl_node_sequence seq; /* TUPLE, LIST, SET */
        ftl_node_dict dict;
        struct {
            const char *module, *name;
        } global;
        ftl_node_object *object;
        const ftl_dtype *dtype;
        ftl_node_array *array;
        ftl_node_sparse *sparse;
        ftl_node *persistent;
    } u;
};

/* ---- Reading values; all accept numpy scalars (0-d arrays) where they accept Python ones ----- */

/* The node of a string key; NULL when absent. Takes the same time in a large dict as in a small
 * one. */
const ftl_node *ftl_node_dict_get(const ftl_node_dict *dict, const char *key);
/*
 * An attribute of an object: its state dict, or the second half of a (dict, slots) state. NULL when
 * absent. A pandas Index is an OBJECT of its class with the attributes "data" and "name" (a
 * RangeIndex: "start", "stop", "step", "name"). Text columns of pandas (StringArray,
 * ArrowStringArray) are ARRAYs of objects.
 */
const ftl_node *ftl_node_attr(const ftl_node *object, const char *name);

bool ftl_node_is_none(const ftl_node *node); /* also NULL */
bool ftl_node_as_bool(const ftl_node *node, bool *out);
bool ftl_node_as_int(const ftl_node *node, int64_t *out);
bool ftl_node_as_f64(const ftl_node *node, double *out); /* ints and bools too */
bool ftl_node_as_str(
    const ftl_node *node,
    ftl_node_string *out); /* str and numpy U (decoded into the node's arena at load) */
bool ftl_node_str_equal(const ftl_node *node, const char *text);

/* Element i (C order) of an array of numbers, whatever its dtype and order. False when it is not a
 * number. */
bool ftl_array_f64_at(const ftl_node_array *array, size_t i, double *out);
bool ftl_array_i64_at(const ftl_node_array *array, size_t i, int64_t *out);
/* Element i (C order) of an array, list or tuple when it is an integer from 2**63 to 2**64 - 1. */
bool ftl_node_high_u64_at(const ftl_node *sequence, size_t i, uint64_t *out);
/* Element i (C order) of a U, S or object array that is a string; U is decoded into arena. */
FTL_MUST_USE ftl_status ftl_array_string_at(const ftl_node_array *array, size_t i, ftl_arena *arena,
                                            ftl_node_string *out, ftl_error *error);
/* The byte offset and dtype of a named field; NULL when absent. */
const ftl_dtype_field *ftl_dtype_find_field(const ftl_dtype *dtype, const char *name);
/* The name of the first field that is not among known (NULL-terminated); NULL: there is none. */
const char *ftl_dtype_unknown_field(const ftl_dtype *dtype, const char *const *known);

/* "sklearn.tree._classes.DecisionTreeClassifier", "list", "numpy.ndarray (100, 2) float64": for
 * messages. Never NULL. */
const char *ftl_node_describe(const ftl_node *node, char *buffer, size_t size);

#endif
