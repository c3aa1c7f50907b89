/*
 * Internals of the pickle machine, shared by its files.
 *
 * An ftl_pk_load is one call of ftl_pickle_load: arena, budgets, report. An ftl_vm is one machine:
 * a stream with a window on its buffer, a stack with marks, a memo. joblib's object arrays are
 * pickles of their own inside the stream and run on a second machine over the same window; side
 * files have a stream, hence a machine, of their own. Machines nest two deep at most, because only
 * the outermost one looks at joblib's wrappers.
 *
 * Stack, marks and memo are scratch memory of the account, freed with the machine; nodes live in
 * the arena.
 *
 * A file calls only files of earlier lines (a pickle within a pickle reaches the loop through
 * ftl_pk_load's `run`):
 *   ucs4, element, node, array_value, describe   the graph's values (node.h)
 *   vm_read, vm_stack, machine                   a machine's bytes, stack and memo
 *   text, dtype, packing, array, npy_header, project
 *   scipy, pandas, side_file, joblib             libraries' ways of keeping arrays
 *   known_globals, danger, reduce                known callables
 *   ops_scalar, ops_container, ops_object        opcodes
 *   finish, vm                                   the loop, ftl_pickle_load
 */
#ifndef FTL_PICKLE_VM_H
#define FTL_PICKLE_VM_H

#include "base/checked.h"
#include "pickle/load.h"

#include <string.h>

typedef struct ftl_vm ftl_vm;

typedef struct ftl_pk_load {
    ftl_arena *arena;
    ftl_account *account;
    const ftl_pickle_options *options;
    ftl_pickle_report report;
    uint64_t max_objects;
    uint32_t max_depth;
    ftl_budget *budget; /* work and copies that cost more than the bytes read; see ftl_vm_spend */
    ftl_budget own_budget; /* when the caller gave none */
    uint64_t consumed;     /* bytes of the stream and of side files, which the budget grows with */
    uint64_t side_bytes;   /* sizes of the side files that were opened */
    uint64_t side_decoded; /* bytes that came from compressed ones */
    ftl_pickle_global *foreign; /* [FTL_MAX_FOREIGN], NULL until the first */
    uint32_t *foreign_slots;    /* hash table of them: index + 1, 0: empty */
    ftl_node_dict **dicts; /* those with two items or more: duplicates are removed at the end */
    size_t n_dicts, dicts_room;
    uint32_t unwanted;      /* bit set of projections whose `unless` was mentioned */
    ftl_node *constants[3]; /* None, False, True */
    ftl_node *small_ints[256];
    ftl_error *error;
    /* vm.c's loop, which runs one pickle up to STOP: arrays that hold pickles of their own call it
     */
    ftl_status (*run)(ftl_vm *vm, ftl_node **root);
} ftl_pk_load;

struct ftl_vm {
    ftl_pk_load *load;
    ftl_arena *arena; /* load's */
    ftl_error *error; /* load's */
    ftl_stream *stream;
    const uint8_t *start, *at,
        *end;           /* window on the stream's buffer; [start, at) is not consumed yet */
    uint64_t base;      /* offset of start in the stream */
    uint64_t op_offset; /* of the opcode that runs */
    ftl_node **stack;
    size_t size, stack_room;
    size_t *marks; /* stack sizes at the open MARKs */
    size_t n_marks, marks_room;
    size_t fence; /* the innermost mark: pops stop here */
    ftl_node **memo;
    size_t memo_room, memo_count;
    uint8_t *line; /* scratch of ftl_vm_line */
    size_t line_room;
    bool joblib; /* arrays follow NumpyArrayWrapper in-stream */
    bool stopped;
};

/* Bytes of a module's or a class's name. No name in Python is longer, and what looks at names does
 * so at every mention. */
enum { FTL_VM_NAME = 1000 };

#define FTL_VM_FAIL(vm, code, ...) FTL_FAIL_AT((vm)->error, (code), (vm)->op_offset, __VA_ARGS__)

/* ---- machine.c: a machine's life ------------------------------------------------------------- */

void ftl_vm_init(ftl_vm *vm, ftl_pk_load *load, ftl_stream *stream, bool joblib);
void ftl_vm_free(ftl_vm *vm);
/* Runs a pickle that lies in vm's stream, with a stack and a memo of its own. */
FTL_MUST_USE ftl_status ftl_vm_run_nested(ftl_vm *vm, ftl_node **root);

/* ---- ops_scalar.c, ops_container.c, ops_object.c: the opcodes -------------------------------- */

typedef ftl_status (*ftl_vm_op)(ftl_vm *vm);
/* Each fills the table entries of its opcodes. */
void ftl_vm_scalar_ops(ftl_vm_op table[256]);
void ftl_vm_container_ops(ftl_vm_op table[256]);
void ftl_vm_object_ops(ftl_vm_op table[256]);

/* ---- vm_read.c: bytes ------------------------------------------------------------------------ */

static inline uint64_t ftl_vm_offset(const ftl_vm *vm)
{
    return vm->base + (uint64_t)(vm->at - vm->start);
}
/* Makes n bytes visible at vm->at; n is small (at most 64 KiB). CORRUPT when the stream ends first.
 */
FTL_MUST_USE ftl_status ftl_vm_need(ftl_vm *vm, size_t n);
FTL_MUST_USE ftl_status ftl_vm_u8(ftl_vm *vm, uint8_t *out);
FTL_MUST_USE ftl_status ftl_vm_le(ftl_vm *vm, size_t width,
                                  uint64_t *out); /* little-endian, width 1..8 */
/* Up to and without the newline. Valid until the next read. */
FTL_MUST_USE ftl_status ftl_vm_line(ftl_vm *vm, const uint8_t **data, size_t *size);
FTL_MUST_USE ftl_status ftl_vm_read(ftl_vm *vm, void *out, size_t size);
/*
 * size bytes from the stream in the arena, with a NUL behind them; 64-byte aligned when size >=
 * FTL_VM_WIDE. A size that the stream does not hold costs no more memory than about twice what it
 * does hold.
 */
enum { FTL_VM_WIDE = 1024 };
FTL_MUST_USE ftl_status ftl_vm_blob(ftl_vm *vm, uint64_t size, uint8_t **out);
/* Gives the window back: afterwards the stream stands at the machine's offset. */
void ftl_vm_sync(ftl_vm *vm);

/* ---- vm_stack.c: stack, memo, nodes ---------------------------------------------------------- */

FTL_MUST_USE ftl_status ftl_vm_push(ftl_vm *vm, ftl_node *node);
FTL_MUST_USE ftl_status ftl_vm_pop(ftl_vm *vm, ftl_node **out);
FTL_MUST_USE ftl_status ftl_vm_top(ftl_vm *vm, ftl_node **out);
FTL_MUST_USE ftl_status ftl_vm_mark(ftl_vm *vm);
/* The items above the innermost mark, which is closed; they stay readable until the next push. */
FTL_MUST_USE ftl_status ftl_vm_pop_mark(ftl_vm *vm, ftl_node ***items, size_t *count);
FTL_MUST_USE ftl_status ftl_vm_memo_put(ftl_vm *vm, uint64_t index);
FTL_MUST_USE ftl_status ftl_vm_memo_get(ftl_vm *vm, uint64_t index);

FTL_MUST_USE ftl_status ftl_vm_new(ftl_vm *vm, ftl_node_kind kind, ftl_node **out);
FTL_MUST_USE ftl_status ftl_vm_new_text(ftl_vm *vm, ftl_node_kind kind, const void *data,
                                        size_t size, ftl_node **out);
FTL_MUST_USE ftl_status ftl_vm_new_int(ftl_vm *vm, int64_t value, ftl_node **out);
FTL_MUST_USE ftl_status ftl_vm_new_bool(ftl_vm *vm, bool value, ftl_node **out);
FTL_MUST_USE ftl_status ftl_vm_new_none(ftl_vm *vm, ftl_node **out);
FTL_MUST_USE ftl_status ftl_vm_new_tuple(ftl_vm *vm, ftl_node *const *items, size_t count,
                                         ftl_node **out);
/* module and name must outlive the arena or live in it. */
FTL_MUST_USE ftl_status ftl_vm_new_object(ftl_vm *vm, const char *module, const char *name,
                                          ftl_node *args, ftl_node **out);
FTL_MUST_USE ftl_status ftl_vm_extend(ftl_vm *vm, ftl_node_sequence *sequence,
                                      ftl_node *const *items, size_t count);
/* items: keys and values in turn; count is even. */
FTL_MUST_USE ftl_status ftl_vm_insert(ftl_vm *vm, ftl_node_dict *dict, ftl_node *const *items,
                                      size_t count);
/*
 * Work that the file can ask for again and again with few bytes (a copy of a remembered string,
 * say), in units of the budget: the sum is bounded by a multiple of the bytes read, so that loading
 * stays linear in the file.
 */
FTL_MUST_USE ftl_status ftl_vm_spend(ftl_vm *vm, uint64_t amount);
/* Spends what n look-ups of an attribute of the object cost. */
FTL_MUST_USE ftl_status ftl_vm_spend_attributes(ftl_vm *vm, const ftl_node *object, unsigned n);

/* ---- text.c: the literals of protocol 0 ------------------------------------------------------ */

bool ftl_vm_is_ascii(const uint8_t *data, size_t size);
FTL_MUST_USE ftl_status ftl_vm_decimal(ftl_vm *vm, const uint8_t *text, size_t size,
                                       ftl_node **out);
FTL_MUST_USE ftl_status ftl_vm_twos_complement(ftl_vm *vm, const uint8_t *bytes, size_t size,
                                               ftl_node **out);
FTL_MUST_USE ftl_status ftl_vm_quoted(ftl_vm *vm, const uint8_t *text, size_t size, ftl_node **out);
FTL_MUST_USE ftl_status ftl_vm_raw_unicode(ftl_vm *vm, const uint8_t *text, size_t size,
                                           ftl_node **out);
/* A Python 2 str: STR when it is ASCII, else BYTES. */
FTL_MUST_USE ftl_status ftl_vm_byte_string(ftl_vm *vm, const uint8_t *data, size_t size,
                                           ftl_node **out);
/* str.encode("latin-1"). */
FTL_MUST_USE ftl_status ftl_vm_latin1(ftl_vm *vm, const ftl_node *text, ftl_node **out);

/* ---- reduce.c: known callables --------------------------------------------------------------- */

/* callable(*args) as a node, without calling anything. */
FTL_MUST_USE ftl_status ftl_vm_reduce(ftl_vm *vm, ftl_node *callable, ftl_node *args,
                                      ftl_node **out);
/* cls.__new__(cls, *args). kwargs may be NULL. */
FTL_MUST_USE ftl_status ftl_vm_instance(ftl_vm *vm, ftl_node *cls, ftl_node *args, ftl_node *kwargs,
                                        ftl_node **out);
/* node.__setstate__(state); node changes in place. */
FTL_MUST_USE ftl_status ftl_vm_build(ftl_vm *vm, ftl_node *node, ftl_node *state);

/* ---- danger.c -------------------------------------------------------------------------------- */

/* Notes in the report when module.name runs code or holds it. */
/* LIMIT where the name of either is longer than FTL_VM_NAME. */
FTL_MUST_USE ftl_status ftl_vm_watch(ftl_vm *vm, const char *module, const char *name);
/* The LIMIT that a longer name is. */
FTL_MUST_USE ftl_status ftl_vm_long_name(ftl_vm *vm);
/* Notes a call of a function that models do not need, in a package that they need. */
FTL_MUST_USE ftl_status ftl_vm_watch_call(ftl_vm *vm, const ftl_node *callable);
FTL_MUST_USE ftl_status ftl_vm_watch_computed_call(ftl_vm *vm, const ftl_node *callable);

/* ---- known_globals.c ------------------------------------------------------------------------- */

/* What Python's own types and the data and model packages put into pickles. */
bool ftl_global_is_known(const char *module, const char *name);
/* Whether the module belongs to Python's standard library (of Python 2, too). */
bool ftl_module_is_standard(const char *module);

/* ---- dtype.c, packing.c, array.c, project.c -------------------------------------------------- */

typedef struct ftl_pk_dtype {
    ftl_dtype dtype; /* first: a node points here */
    bool has_object;
} ftl_pk_dtype;

typedef struct ftl_pk_array {
    ftl_node_array array;                    /* first: a node points here */
    bool built;                              /* has its data: never changes again */
    const ftl_pickle_projection *projection; /* that packed it, or NULL */
} ftl_pk_array;

enum { FTL_PK_MAX_ITEM = 1 << 28 }; /* bytes of one array element */
FTL_MUST_USE ftl_status ftl_vm_dtype_new(ftl_vm *vm, const char *text, size_t size, ftl_node **out);
FTL_MUST_USE ftl_status ftl_vm_dtype_build(ftl_vm *vm, ftl_node *node, const ftl_node *state);
/* Fields are leaves that lie within item_size. */
FTL_MUST_USE ftl_status ftl_vm_dtype_structured(ftl_vm *vm, const ftl_dtype_field *fields,
                                                uint32_t count, uint32_t item_size, ftl_node **out);
FTL_MUST_USE ftl_status ftl_vm_dtype_native(ftl_vm *vm, const ftl_dtype *dtype,
                                            const ftl_dtype **out);
bool ftl_dtype_is_swapped(const ftl_dtype *dtype);
void ftl_dtype_swap(const ftl_dtype *dtype, void *data, size_t rows);

FTL_MUST_USE ftl_status ftl_vm_array_new(ftl_vm *vm, ftl_node **out);
FTL_MUST_USE ftl_status ftl_vm_array_build(ftl_vm *vm, ftl_node *node, const ftl_node *state);
/* Fills array's dtype, shape and size; refuses what no memory can hold. */
FTL_MUST_USE ftl_status ftl_vm_array_shape(ftl_vm *vm, ftl_node_array *array, const ftl_node *dtype,
                                           const ftl_node *shape);
/* The data from the bytes that come next in the stream. array has its shape. */
FTL_MUST_USE ftl_status ftl_vm_array_read(ftl_vm *vm, ftl_pk_array *array);
/* Makes node an array in place. */
FTL_MUST_USE ftl_status ftl_vm_become_array(ftl_vm *vm, ftl_node *node, ftl_pk_array **out);
FTL_MUST_USE ftl_status ftl_vm_scalar(ftl_vm *vm, const ftl_node *args, ftl_node **out);
FTL_MUST_USE ftl_status ftl_vm_frombuffer(ftl_vm *vm, const ftl_node *args, ftl_node **out);
static inline bool ftl_node_array_built(const ftl_node *node)
{
    return node->kind == FTL_NODE_ARRAY &&
           ((const ftl_pk_array *)(const void *)node->u.array)->built;
}

/* How to pack the rows of a structured dtype. */
typedef struct ftl_pk_packing {
    struct {
        uint32_t from, to, size; /* bytes in the file */
        bool narrow;             /* int64 → int32 */
    } runs[32];
    uint32_t n_runs;
    bool gaps; /* between the packed fields */
    const ftl_pickle_projection *projection;
    const ftl_dtype *dtype; /* packed, native */
    const ftl_dtype *source;
} ftl_pk_packing;

/* *found is false when no projection fits. */
FTL_MUST_USE ftl_status ftl_vm_find_packing(ftl_vm *vm, const ftl_dtype *dtype, ftl_pk_packing *out,
                                            bool *found);
FTL_MUST_USE ftl_status ftl_vm_packed_read(ftl_vm *vm, ftl_pk_array *array,
                                           const ftl_pk_packing *packing);
FTL_MUST_USE ftl_status ftl_vm_packed_copy(ftl_vm *vm, ftl_pk_array *array,
                                           const ftl_pk_packing *packing, const uint8_t *rows);
/*
 * Room for `needed` bytes at *data, of which `used` are kept; it doubles while rows come, because
 * the shape is believed no sooner, and ends at `all` bytes.
 */
FTL_MUST_USE ftl_status ftl_vm_rows_room(ftl_vm *vm, uint8_t **data, size_t used, size_t *room,
                                         size_t needed, size_t all);
/*
 * At a large bytes literal: when the stack shows that an ndarray's state is being made (1, shape,
 * dtype, order, <here>) and a projection fits, reads it packed into an ARRAY node instead.
 */
FTL_MUST_USE ftl_status ftl_vm_packed_literal(ftl_vm *vm, uint64_t size, ftl_node **out);

/*
 * The array that stands for the item on top of the stack, with its shape, is about to be read: when
 * it is the companion of a packed one, reads the chosen rows alone; else *done is false.
 */
FTL_MUST_USE ftl_status ftl_vm_companion_read(ftl_vm *vm, ftl_pk_array *array, bool *done);

/* ---- joblib.c, scipy.c ----------------------------------------------------------------------- */

/* The node has just got its state: when it is one of joblib's wrappers, becomes the array that it
 * stands for. */
FTL_MUST_USE ftl_status ftl_vm_joblib(ftl_vm *vm, ftl_node *node);
/* The same for scipy's csr and csc classes. */
FTL_MUST_USE ftl_status ftl_vm_scipy(ftl_vm *vm, ftl_node *node);

/* ---- finish.c -------------------------------------------------------------------------------- */

/* Later duplicates of string keys replace earlier values in every dict; large ones get their slots.
 */
FTL_MUST_USE ftl_status ftl_pk_remove_duplicates(ftl_pk_load *load);

#endif
