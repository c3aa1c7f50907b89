/*
 * The memory of a compiled plan, which can be written as one run of bytes and used from there.
 *
 * It consists of pieces. A *state* piece holds small records that may point to other pieces; every
 * field that does is registered. A *data* piece holds numbers alone. A piece belongs to the blob,
 * or is borrowed: it lies in the model, which must outlive the blob. With owns_all everything that
 * would be borrowed is copied instead, so that the model's graph can be given back.
 *
 * While a plan is compiled the pieces are ordinary memory and pointers are pointers. ftl_blob_write
 * lays them out one behind the other, with offsets for pointers: the same plan gives the same
 * bytes, wherever it lies in memory. ftl_blob_open uses data where the bytes are, which may be
 * mapped read-only, and copies the state alone.
 *
 * Pieces hold no address of the process: no functions, no tables of kernels. Binding a plan finds
 * those (plan.h).
 *
 * Not thread-safe while it is made; read-only afterwards.
 */
#ifndef FTL_PLAN_BLOB_H
#define FTL_PLAN_BLOB_H

#include "base/arena.h"

typedef struct ftl_blob_piece {
    void *base;
    const void *from; /* what it was borrowed or copied from; NULL: it was made here */
    void *block;      /* what it is freed by; NULL: the arena's, or the model's */
    size_t size;
    bool state;
} ftl_blob_piece;

/* count fields of state pieces, stride bytes apart, that hold pointers. */
typedef struct ftl_blob_refs {
    void *field;
    uint32_t count, stride;
} ftl_blob_refs;

typedef struct ftl_blob {
    ftl_account *account;
    ftl_arena arena;
    bool owns_all;
    bool failed;   /* memory was short: what was registered is not complete */
    uint64_t seed; /* of the hash tables in it */
    size_t n_pieces, pieces_room;
    ftl_blob_piece *pieces;
    size_t n_refs, refs_room;
    ftl_blob_refs *refs;
    uint32_t *borrowed; /* hash table of pieces by `from`: number + 1; 0: empty */
    size_t n_borrowed, borrowed_room;
} ftl_blob;

void ftl_blob_init(ftl_blob *blob, ftl_account *account, uint64_t seed);
void ftl_blob_free(ftl_blob *blob);

/* ---- Making ---------------------------------------------------------------------------------- */

/* count records, all bytes 0; the first piece is what ftl_blob_open yields. NULL: no memory. */
void *ftl_blob_state(ftl_blob *blob, size_t count, size_t size);
/* count numbers, 64-byte aligned, not cleared (cleared). NULL: no memory. */
void *ftl_blob_data(ftl_blob *blob, size_t count, size_t size);
void *ftl_blob_zero_data(ftl_blob *blob, size_t count, size_t size);
/* Takes back the piece made last; nothing may point to it. */
void ftl_blob_drop(ftl_blob *blob, void *piece);

/*
 * The calls below return nothing: a lack of memory is seen in blob->failed at the end.
 *
 * field: the address of a pointer in a state piece, which points into a piece or is NULL when the
 * blob is written. The strided form registers count fields that lie stride bytes apart.
 */
void ftl_blob_ref(ftl_blob *blob, void *field);
void ftl_blob_ref_each(ftl_blob *blob, void *field, size_t count, size_t stride);
/*
 * field: the address of a pointer in a state piece to an array of the model: count numbers of so
 * many bytes. The array becomes a piece (a copied one with owns_all, and the field points there)
 * and the field is registered. NULL and arrays of no elements become NULL.
 */
void ftl_blob_borrow(ftl_blob *blob, void *field, size_t count, size_t size);
/* The same for a text that ends with NUL. */
void ftl_blob_borrow_text(ftl_blob *blob, void *field);
/*
 * The same for records that hold pointers: always copied, so that the caller can register the
 * copy's fields or clear them. Returns the copy, or NULL where there is none.
 */
void *ftl_blob_copy(ftl_blob *blob, void *field, size_t count, size_t size);
/*
 * field: the address of a pointer to the model's count texts (const char *const *), of which any
 * may be NULL.
 */
void ftl_blob_copy_texts(ftl_blob *blob, void *field, size_t count);

/* ---- Bytes ----------------------------------------------------------------------------------- */

/*
 * The blob as bytes in a block of the account, to be freed with ftl_free. needs: FTL_CPU_ bits of
 * what the kernels' forms in it ask for. NOMEM; INTERNAL when a registered field points elsewhere.
 */
FTL_MUST_USE ftl_status ftl_blob_write(const ftl_blob *blob, ftl_account *account, uint32_t needs,
                                       unsigned char **out, size_t *size, ftl_error *error);

/* An opened blob: its state, relocated. Data stay in the bytes, which must outlive it. */
typedef struct ftl_blob_view {
    void *root; /* the first piece */
    size_t state_size;
    const void *data;
    size_t data_size;
    uint32_t needs;
} ftl_blob_view;

/*
 * bytes: 64-byte aligned, as ftl_blob_write made them. What is proved: they are whole, of this
 * version of the library and of this kind of machine, and every pointer leads into them. What the
 * numbers say is not proved again, as the sum over the bytes finds accidents and not intent: only
 * bytes from a place that nobody else writes to may be run. CORRUPT, UNSUPPORTED (another version,
 * machine or processor), ARG (alignment), NOMEM.
 */
FTL_MUST_USE ftl_status ftl_blob_open(const void *bytes, size_t size, ftl_account *account,
                                      ftl_blob_view *out, ftl_error *error);
void ftl_blob_close(ftl_blob_view *view, ftl_account *account);
/* Whether size bytes at a multiple of `alignment` lie in the view's state, or in its data. */
bool ftl_blob_has_state(const ftl_blob_view *view, const void *pointer, size_t size,
                        size_t alignment);
bool ftl_blob_has_data(const ftl_blob_view *view, const void *pointer, size_t size,
                       size_t alignment);

#endif
