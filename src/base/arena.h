/*
 * Arena: many small allocations freed at once. Blocks grow geometrically; large requests get a
 * block of their own. Not thread-safe. Strings and arrays of a model live here.
 */
#ifndef FTL_BASE_ARENA_H
#define FTL_BASE_ARENA_H

#include "base/alloc.h"

typedef struct ftl_arena_block ftl_arena_block;

typedef struct ftl_arena {
    ftl_account *account;
    ftl_arena_block *head;
    unsigned char *next, *end;
    size_t block_size;
    unsigned char *slab_next, *slab_end; /* where large requests go once there were many of them */
    size_t large_bytes;                  /* of large requests so far */
} ftl_arena;

void ftl_arena_init(ftl_arena *arena, ftl_account *account);
void ftl_arena_free(ftl_arena *arena); /* frees everything; the arena may be used again */
/*
 * For work that comes again and again: as ftl_arena_free, but for one block of what was needed this
 * time, of `most` bytes at most, so that the same work needs no more memory from the account.
 */
void ftl_arena_reset(ftl_arena *arena, size_t most);

/* NULL on failure. Aligned to 16 bytes (64 for the _aligned form). Not cleared. */
void *ftl_arena_alloc(ftl_arena *arena, size_t size);
void *ftl_arena_alloc_aligned(ftl_arena *arena, size_t size);
void *ftl_arena_array(ftl_arena *arena, size_t count, size_t size); /* checked product */
/* checked product, cleared */
void *ftl_arena_zero_array(ftl_arena *arena, size_t count, size_t size);
void *ftl_arena_copy(ftl_arena *arena, const void *data, size_t size);
/*
 * A block for bytes whose size is not yet trusted: begin with pointer NULL, then resize as the
 * bytes arrive. Only while no other block was added to the arena since. Aligned to 64 bytes;
 * old_size bytes are kept. NULL on failure: the old stays.
 */
void *ftl_arena_resize(ftl_arena *arena, void *pointer, size_t old_size, size_t size);
/* NUL-terminated copy of text[0..size). */
char *ftl_arena_string(ftl_arena *arena, const char *text, size_t size);
char *ftl_arena_printf(ftl_arena *arena, const char *format, ...) FTL_PRINTF(2, 3);

#define FTL_ARENA_NEW(arena, type) ((type *)ftl_arena_zero_array((arena), 1, sizeof(type)))

#endif
