#include "plan/blob.h"

#include "base/checked.h"
#include "base/hash.h"

#include <string.h>

/* Large pieces get blocks of their own: nothing is left over, and one can be taken back. */
enum { data_alignment = 64, large_piece = 1 << 16 };

void ftl_blob_init(ftl_blob *blob, ftl_account *account, uint64_t seed)
{
    *blob = (ftl_blob){.account = account, .seed = seed};
    ftl_arena_init(&blob->arena, account);
}

void ftl_blob_free(ftl_blob *blob)
{
    for (size_t i = 0; i < blob->n_pieces; i++) {
        ftl_free(blob->account, blob->pieces[i].block);
    }
    ftl_free(blob->account, blob->pieces);
    ftl_free(blob->account, blob->refs);
    ftl_free(blob->account, blob->borrowed);
    ftl_arena_free(&blob->arena);
    ftl_blob_init(blob, blob->account, blob->seed);
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

static void *add_piece(ftl_blob *blob, ftl_blob_piece piece)
{
    ftl_error error;
    if (!piece.base || ftl_grow(blob->account, &blob->pieces, &blob->pieces_room,
                                blob->n_pieces + 1, sizeof *blob->pieces, &error) != FTL_OK) {
        ftl_free(blob->account, piece.block);
        blob->failed = true;
        return NULL;
    }
    blob->pieces[blob->n_pieces++] = piece;
    return piece.base;
}

/*
 * A byte more than asked for keeps pieces apart: a pointer behind the last element of one is not a
 * pointer to the next.
 */
static bool padded_size(size_t count, size_t size, size_t *bytes, size_t *room)
{
    return ftl_mul_size(count, size, bytes) && ftl_add_size(*bytes, data_alignment + 1, room);
}

void *ftl_blob_state(ftl_blob *blob, size_t count, size_t size)
{
    ftl_blob_piece piece = {.state = true};
    size_t room;
    if (padded_size(count, size, &piece.size, &room))
        piece.base = ftl_arena_zero_array(&blob->arena, 1, piece.size + 1);
    return add_piece(blob, piece);
}

/* Memory for a data piece of so many bytes; base is NULL when there is none. */
static ftl_blob_piece new_data(ftl_blob *blob, size_t count, size_t size)
{
    ftl_blob_piece piece = {0};
    size_t room;
    if (!padded_size(count, size, &piece.size, &room))
        return piece;
    if (piece.size < large_piece) {
        piece.base = ftl_arena_alloc_aligned(&blob->arena, piece.size + 1);
        return piece;
    }
    unsigned char *block = ftl_alloc(blob->account, room);
    if (block) {
        piece.base = block + (-(uintptr_t)block & (data_alignment - 1));
        piece.block = block;
    }
    return piece;
}

void *ftl_blob_data(ftl_blob *blob, size_t count, size_t size)
{
    return add_piece(blob, new_data(blob, count, size));
}

void *ftl_blob_zero_data(ftl_blob *blob, size_t count, size_t size)
{
    void *data = ftl_blob_data(blob, count, size);
    return data ? memset(data, 0, count * size) : NULL;
}

void ftl_blob_drop(ftl_blob *blob, void *piece)
{
    if (!piece || blob->n_pieces == 0 || blob->pieces[blob->n_pieces - 1].base != piece)
        return;
    ftl_free(blob->account, blob->pieces[--blob->n_pieces].block);
}

/* ---- Fields ---------------------------------------------------------------------------------- */

static const void *load(const void *field)
{
    const void *pointer;
    memcpy(&pointer, field, sizeof pointer);
    return pointer;
}

static void store(void *field, const void *pointer) { memcpy(field, &pointer, sizeof pointer); }

void ftl_blob_ref_each(ftl_blob *blob, void *field, size_t count, size_t stride)
{
    ftl_error error;
    if (count == 0)
        return;
    if (count > UINT32_MAX || stride > UINT32_MAX ||
        ftl_grow(blob->account, &blob->refs, &blob->refs_room, blob->n_refs + 1, sizeof *blob->refs,
                 &error) != FTL_OK) {
        blob->failed = true;
        return;
    }
    blob->refs[blob->n_refs++] = (ftl_blob_refs){field, (uint32_t)count, (uint32_t)stride};
}

void ftl_blob_ref(ftl_blob *blob, void *field) { ftl_blob_ref_each(blob, field, 1, 0); }

/* ---- Borrowing ------------------------------------------------------------------------------- */

static size_t borrowed_place(const ftl_blob *blob, const void *from, size_t size)
{
    size_t mask = blob->borrowed_room - 1;
    size_t at = (size_t)ftl_hash_mix((uint64_t)(uintptr_t)from, 0x9e3779b97f4a7c15u) & mask;
    for (; blob->borrowed[at]; at = (at + 1) & mask) {
        const ftl_blob_piece *piece = &blob->pieces[blob->borrowed[at] - 1];
        if (piece->from == from && piece->size == size)
            break;
    }
    return at;
}

/* Keeps the table at most half full. */
static bool grow_borrowed(ftl_blob *blob)
{
    enum { smallest = 64 };
    if (2 * (blob->n_borrowed + 1) <= blob->borrowed_room)
        return true;
    size_t old_room = blob->borrowed_room, room = old_room ? 2 * old_room : smallest;
    uint32_t *old = blob->borrowed, *table = ftl_alloc_zero(blob->account, room, sizeof *table);
    if (!table)
        return false;
    blob->borrowed = table;
    blob->borrowed_room = room;
    for (size_t i = 0; i < old_room; i++) {
        if (!old[i])
            continue;
        const ftl_blob_piece *piece = &blob->pieces[old[i] - 1];
        table[borrowed_place(blob, piece->from, piece->size)] = old[i];
    }
    ftl_free(blob->account, old);
    return true;
}

/* The piece that stands for size bytes of the model, made when there is none yet. */
static const void *borrow(ftl_blob *blob, const void *from, size_t size)
{
    if (!grow_borrowed(blob)) {
        blob->failed = true;
        return from;
    }
    size_t at = borrowed_place(blob, from, size);
    if (blob->borrowed[at])
        return blob->pieces[blob->borrowed[at] - 1].base;
    ftl_blob_piece piece = {.base = (void *)(uintptr_t)from, .size = size};
    if (blob->owns_all) {
        piece = new_data(blob, size, 1);
        if (piece.base)
            memcpy(piece.base, from, size);
    }
    piece.from = from;
    if (!add_piece(blob, piece))
        return from;
    blob->borrowed[at] = (uint32_t)blob->n_pieces;
    blob->n_borrowed++;
    return piece.base;
}

void ftl_blob_borrow(ftl_blob *blob, void *field, size_t count, size_t size)
{
    const void *from = load(field);
    size_t bytes;
    if (!from || count == 0) {
        store(field, NULL);
        return;
    }
    if (!ftl_mul_size(count, size, &bytes)) {
        blob->failed = true;
        return;
    }
    store(field, borrow(blob, from, bytes));
    ftl_blob_ref(blob, field);
}

void ftl_blob_borrow_text(ftl_blob *blob, void *field)
{
    const char *text = load(field);
    if (text)
        ftl_blob_borrow(blob, field, strlen(text) + 1, 1);
}

void *ftl_blob_copy(ftl_blob *blob, void *field, size_t count, size_t size)
{
    const void *from = load(field);
    if (!from || count == 0) {
        store(field, NULL);
        return NULL;
    }
    void *copy = ftl_blob_state(blob, count, size);
    if (copy)
        memcpy(copy, from, count * size);
    store(field, copy);
    ftl_blob_ref(blob, field);
    return copy;
}

void ftl_blob_copy_texts(ftl_blob *blob, void *field, size_t count)
{
    const char **texts = ftl_blob_copy(blob, field, count, sizeof *texts);
    for (size_t i = 0; texts && i < count; i++)
        ftl_blob_borrow_text(blob, &texts[i]);
}
