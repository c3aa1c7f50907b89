/*
 * Writing FlatBuffers (flatbuffers.dev/internals), from front to back: what refers comes before
 * what it refers to, and the reference is set when that has its place. Positions count from the
 * beginning of the FlatBuffer. A text buffer that fails is asked for that at the end.
 */
#ifndef FTL_IO_FLATBUF_BUILD_H
#define FTL_IO_FLATBUF_BUILD_H

#include "base/strbuf.h"

typedef struct ftl_fb_builder {
    ftl_strbuf *out;
    size_t begin; /* of the FlatBuffer in it */
} ftl_fb_builder;

/* A field of a table: width 0: absent; 1, 2, 4, 8: a number of so many bytes; 4 for references. */
typedef struct ftl_fb_slot {
    unsigned width;
    int64_t value; /* of references: 0 */
} ftl_fb_slot;

/* Begins a FlatBuffer behind what the buffer holds, whose root is at position 0. */
ftl_fb_builder ftl_fb_build(ftl_strbuf *out);
/* Fields in the schema's order, 32 at most. */
size_t ftl_fb_put_table(ftl_fb_builder *builder, const ftl_fb_slot *slots, size_t n);
size_t ftl_fb_put_text(ftl_fb_builder *builder, const char *text);
/* data NULL: zeros. alignment: of the items. */
size_t ftl_fb_put_vector(ftl_fb_builder *builder, const void *data, size_t count, size_t item_size,
                         size_t alignment);
/* Makes the reference at a position, which may be 0 for the root, refer to another one. */
void ftl_fb_refer(ftl_fb_builder *builder, size_t from, size_t to);
/* The positions of a table's field and of a vector's item. */
size_t ftl_fb_slot_of(const ftl_fb_builder *builder, size_t table, size_t field);
size_t ftl_fb_item_of(size_t vector, size_t item, size_t item_size);

#endif
