/*
 * The descriptions of operations and of their records (ops/), as tables. The validator, the dump,
 * the writer and the reader walk parameters by them and know no operation by name. All is constant
 * and may be used from any thread.
 */
#ifndef FTL_MODEL_DESCRIBE_H
#define FTL_MODEL_DESCRIBE_H

#include "model/model.h"

typedef enum ftl_element {
    FTL_ELEMENT_BOOL,
    FTL_ELEMENT_U8,
    FTL_ELEMENT_CHAR,
    FTL_ELEMENT_I32,
    FTL_ELEMENT_U32,
    FTL_ELEMENT_U64,
    FTL_ELEMENT_F32,
    FTL_ELEMENT_F64,
    FTL_ELEMENT_ENUM,
    FTL_ELEMENT_TEXT, /* const char *, ends with NUL */
    FTL_ELEMENT_CELL,
    FTL_ELEMENT_RECORD,
    FTL_ELEMENT_BUFFER /* char [limit], ends with NUL */
} ftl_element;

typedef enum ftl_form {
    FTL_FORM_ONE,
    FTL_FORM_ARRAY,      /* a pointer, and a count elsewhere in the record */
    FTL_FORM_POINTER,    /* to one record */
    FTL_FORM_POINTERS,   /* an array of pointers to records, and a count */
    FTL_FORM_EACH,       /* `limit` records inside */
    FTL_FORM_PARAMETERS, /* the union of an operation; its kind tells the record */
} ftl_form;

/* What the elements of an array of U32 are. */
typedef enum ftl_range { FTL_RANGE_ANY, FTL_RANGE_BELOW, FTL_RANGE_STARTS } ftl_range;

typedef struct ftl_record ftl_record;

typedef struct ftl_field {
    const char *name;
    ftl_element element;
    ftl_form form;
    bool optional; /* NULL means something */
    ftl_range range;
    uint32_t offset, count_offset; /* in the struct; count_offset: of an array's count */
    uint32_t count_size;           /* bytes of the count: of a size_t or a uint32_t */
    uint32_t limit;                /* ENUM: values are below it */
    const ftl_record *(*record)(void);
} ftl_field;

/* What one field of one record must be: ARRAY's length, and what BELOW stands for. */
typedef struct ftl_bound {
    uint64_t length, limit;
} ftl_bound;

enum { FTL_MOST_FIELDS = 24, FTL_MOST_RECORD_DEPTH = 8 };

struct ftl_record {
    const char *name;
    size_t size;
    size_t n_fields;
    const ftl_field *fields;
    /* Bounds of all fields of the record at self, part of op, which reads `columns` columns. */
    void (*bounds)(const void *self, const ftl_op *op, uint64_t columns, ftl_bound *out);
};

typedef enum ftl_reads {
    FTL_READS_NOTHING,
    FTL_READS_COLUMNS,
    FTL_READS_MATRIX,
    FTL_READS_DENSE_OR_SPARSE,
    FTL_READS_SPARSE,
    FTL_READS_ONE_OP
} ftl_reads;

typedef enum ftl_yields {
    FTL_YIELDS_NUM,
    FTL_YIELDS_CODED,
    FTL_YIELDS_OBJECT,
    FTL_YIELDS_SPARSE,
    FTL_YIELDS_SOURCE
} ftl_yields;

typedef enum ftl_width_rule {
    FTL_WIDTH_ANY,
    FTL_WIDTH_SOME,
    FTL_WIDTH_ONE,
    FTL_WIDTH_SAME
} ftl_width_rule;

typedef enum ftl_dtype_trait {
    FTL_DTYPE_TRAIT_FREE,
    FTL_DTYPE_TRAIT_KEEPS,
    FTL_DTYPE_TRAIT_FIRST,
    FTL_DTYPE_TRAIT_F32,
    FTL_DTYPE_TRAIT_F64,
    FTL_DTYPE_TRAIT_CHOSEN
} ftl_dtype_trait;

enum { FTL_NEEDS_COLUMNS = 1, FTL_MAY_REFUSE = 2 };

/* A line of ops/ops.def; validate.c has the checks. */
typedef struct ftl_op_description {
    const char *name;
    const ftl_record *(*record)(void); /* NULL: no parameters */
    ftl_reads reads;
    ftl_yields yields;
    ftl_width_rule width;
    ftl_dtype_trait dtype;
    uint32_t traits; /* FTL_NEEDS_COLUMNS, FTL_MAY_REFUSE */
} ftl_op_description;

/* kind is below FTL_OP_KIND_COUNT. */
const ftl_op_description *ftl_op_describe(ftl_op_kind kind);
/* The parameters' record, or NULL. */
const ftl_record *ftl_op_record(ftl_op_kind kind);

/* The record of each struct of ops/, by its name: ftl_affine_step_record_(). */
#define FTL_WITH_MODEL_RECORDS
#define RECORD(type) const ftl_record *type##_record_(void);
#define PARAMETERS(type, member) RECORD(type)
#include "model/ops/records.def"
#undef FTL_WITH_MODEL_RECORDS

/*
 * Copies what the description names and nothing else: bytes between the fields become 0, so that
 * equal records are equal bytes. Pointers are copied as they are. Not for a whole model.
 */
void ftl_record_copy(const ftl_record *record, void *to, const void *from);

/* The same for a whole operation; its arrays stay where they are. */
void ftl_op_copy(ftl_op *to, const ftl_op *from);

/* The record of a whole model (ops/model.def). */
const ftl_record *ftl_model_record(void);
/* The record of a field's value or values in the record at self; NULL: an op without parameters. */
const ftl_record *ftl_field_record(const ftl_field *field, const void *self);
/*
 * A number that changes with what the descriptions say of the form of records: files of one number
 * can be read by whoever has the same.
 */
uint64_t ftl_description_digest(void);

/* Bytes of one element of an array in memory; 0 for ENUM and RECORD. */
size_t ftl_element_size(ftl_element element);
/* Whether elements hold no pointers and lie in files as they lie in memory. */
bool ftl_element_is_plain(ftl_element element);

/* ---- Access to a field of the record at `self` ----------------------------------------------- */

static inline const void *ftl_field_at(const ftl_field *field, const void *self)
{
    return (const char *)self + field->offset;
}
static inline const void *ftl_field_pointer(const ftl_field *field, const void *self)
{
    return *(const void *const *)ftl_field_at(field, self);
}
static inline size_t ftl_field_count(const ftl_field *field, const void *self)
{
    const void *count = (const char *)self + field->count_offset;
    return field->count_size == sizeof(uint32_t) ? *(const uint32_t *)count
                                                 : *(const size_t *)count;
}

#endif
