#include "base/arena.h"

#include "base/checked.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct ftl_arena_block {
    ftl_arena_block *previous;
    size_t payload; /* bytes behind the block's header, which are 16-byte aligned */
};

enum {
    first_block = 4096,
    largest_block = 1 << 20,
    large_request = 1 << 15,
    alignment = 16,
    wide_alignment = 64
};
/* Many large requests share slabs, which with their headers are whole huge pages. */
enum { many_bytes = 1 << 20, smallest_slab = 4 << 20, largest_slab = 64 << 20, headers = 64 };

void ftl_arena_init(ftl_arena *arena, ftl_account *account)
{
    *arena = (ftl_arena){.account = account, .block_size = first_block};
}

void ftl_arena_free(ftl_arena *arena)
{
    for (ftl_arena_block *block = arena->head; block;) {
        ftl_arena_block *previous = block->previous;
        ftl_free(arena->account, block);
        block = previous;
    }
    ftl_arena_init(arena, arena->account);
}

static unsigned char *new_block(ftl_arena *arena, size_t payload)
{
    size_t bytes;
    if (!ftl_add_size(payload, sizeof(ftl_arena_block), &bytes))
        return NULL;
    ftl_arena_block *block = ftl_alloc(arena->account, bytes);
    if (!block)
        return NULL;
    block->previous = arena->head;
    block->payload = payload;
    arena->head = block;
    return (unsigned char *)(block + 1);
}

/* The newest block is what small requests are served from. */
static void open_block(ftl_arena *arena)
{
    arena->next = (unsigned char *)(arena->head + 1);
    arena->end = arena->next + arena->head->payload;
}

void ftl_arena_reset(ftl_arena *arena, size_t most)
{
    size_t needed = 0;
    for (const ftl_arena_block *block = arena->head; block; block = block->previous)
        needed += block->payload; /* they are in memory, all of them */
    if (needed == 0)
        return;
    if (arena->head->previous || needed > most) {
        ftl_arena_free(arena);
        if (needed > most || !new_block(arena, needed))
            return;
    }
    open_block(arena);
    arena->slab_next = arena->slab_end = NULL;
    arena->large_bytes = 0;
}

/* A slab is an eighth of what was asked for so far, so that its unused rest stays small beside what
 * is used. */
static void *large_alloc(ftl_arena *arena, size_t rounded)
{
    if ((size_t)(arena->slab_end - arena->slab_next) >= rounded) {
        void *out = arena->slab_next;
        arena->slab_next += rounded;
        return out;
    }
    if (arena->large_bytes < many_bytes || rounded > smallest_slab / 4)
        return new_block(arena, rounded);
    size_t size = arena->large_bytes / 8;
    size = size < smallest_slab ? smallest_slab : size > largest_slab ? largest_slab : size;
    size = (size & ~(size_t)(smallest_slab / 2 - 1)) - headers;
    unsigned char *slab = new_block(arena, size);
    if (!slab)
        return new_block(arena, rounded);
    arena->slab_next = slab + rounded;
    arena->slab_end = slab + size;
    return slab;
}

void *ftl_arena_alloc(ftl_arena *arena, size_t size)
{
    size_t rounded;
    if (!ftl_add_size(size ? size : 1, alignment - 1, &rounded))
        return NULL;
    rounded &= ~(size_t)(alignment - 1);
    bool large = rounded >= large_request;
    if (large && !ftl_add_size(arena->large_bytes, rounded, &arena->large_bytes))
        arena->large_bytes = SIZE_MAX;
    if (large && arena->large_bytes >= many_bytes)
        return large_alloc(arena, rounded);
    if ((size_t)(arena->end - arena->next) >= rounded) {
        void *out = arena->next;
        arena->next += rounded;
        return out;
    }
    if (large)
        return large_alloc(arena, rounded); /* the current block keeps its room */
    unsigned char *block = new_block(arena,
                                     arena->block_size > rounded ? arena->block_size : rounded);
    if (!block)
        return NULL;
    arena->next = block + rounded;
    arena->end = block + (arena->block_size > rounded ? arena->block_size : rounded);
    if (arena->block_size < largest_block)
        arena->block_size *= 2;
    return block;
}

void *ftl_arena_alloc_aligned(ftl_arena *arena, size_t size)
{
    size_t padded;
    if (!ftl_add_size(size, wide_alignment, &padded))
        return NULL;
    unsigned char *block = ftl_arena_alloc(arena, padded);
    if (!block)
        return NULL;
    return block + (-(uintptr_t)block & (wide_alignment - 1));
}

void *ftl_arena_resize(ftl_arena *arena, void *pointer, size_t old_size, size_t size)
{
    size_t bytes, shift = 0;
    ftl_arena_block *old = pointer ? arena->head : NULL;
    if (old)
        shift = (size_t)((unsigned char *)pointer - (unsigned char *)(old + 1));
    if (!ftl_add_size(size, wide_alignment + sizeof(ftl_arena_block), &bytes))
        return NULL;
    /* the C library remaps large blocks, no copy */
    ftl_arena_block *block = ftl_realloc(arena->account, old, bytes);
    if (!block)
        return NULL;
    if (!old)
        block->previous = arena->head;
    block->payload = size + wide_alignment;
    arena->head = block;
    unsigned char *payload = (unsigned char *)(block + 1);
    unsigned char *aligned = payload + (-(uintptr_t)payload & (wide_alignment - 1));
    if (old && aligned != payload + shift)
        memmove(aligned, payload + shift, old_size < size ? old_size : size);
    return aligned;
}

void *ftl_arena_array(ftl_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (ftl_mul_size(count, size, &bytes))
        return ftl_arena_alloc(arena, bytes);
    ftl_account_overflow(arena->account);
    return NULL;
}

void *ftl_arena_zero_array(ftl_arena *arena, size_t count, size_t size)
{
    void *out = ftl_arena_array(arena, count, size);
    return out ? memset(out, 0, count * size) : NULL;
}

void *ftl_arena_copy(ftl_arena *arena, const void *data, size_t size)
{
    void *out = ftl_arena_alloc(arena, size);
    if (out && size)
        memcpy(out, data, size);
    return out;
}

char *ftl_arena_string(ftl_arena *arena, const char *text, size_t size)
{
    size_t bytes;
    char *out = ftl_add_size(size, 1, &bytes) ? ftl_arena_alloc(arena, bytes) : NULL;
    if (!out)
        return NULL;
    if (size)
        memcpy(out, text, size);
    out[size] = '\0';
    return out;
}

char *ftl_arena_printf(ftl_arena *arena, const char *format, ...)
{
    char text[256]; /* most texts are names, and formatting is what they cost */
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0)
        return NULL;
    size_t size = (size_t)n;
    if (size < sizeof text)
        return ftl_arena_string(arena, text, size);
    /* What does not fit goes byte by byte: long names are dear, and files may use them again. */
    char *out = ftl_account_work(arena->account, size * 4) ? ftl_arena_alloc(arena, size + 1)
                                                           : NULL;
    if (!out)
        return NULL;
    va_start(args, format);
    vsnprintf(out, size + 1, format, args);
    va_end(args);
    return out;
}
