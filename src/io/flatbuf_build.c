#include "io/flatbuf_build.h"

#include <string.h>

static size_t here(const ftl_fb_builder *builder) { return builder->out->size - builder->begin; }

static void put(ftl_fb_builder *builder, uint64_t value, unsigned width)
{
    char bytes[8];
    for (unsigned i = 0; i < width; i++)
        bytes[i] = (char)(value >> 8 * i);
    ftl_strbuf_append(builder->out, bytes, width);
}

static void pad(ftl_fb_builder *builder, size_t more, size_t alignment)
{
    while ((here(builder) + more) % alignment && !builder->out->failed)
        ftl_strbuf_putc(builder->out, 0);
}

ftl_fb_builder ftl_fb_build(ftl_strbuf *out)
{
    ftl_fb_builder builder = {out, out->size};
    put(&builder, 0, 4);
    return builder;
}

size_t ftl_fb_put_table(ftl_fb_builder *builder, const ftl_fb_slot *slots, size_t n)
{
    enum { MOST_FIELDS = 32, VTABLE_HEAD = 4, TABLE_HEAD = 4, ALIGNMENT = 8 };
    uint16_t offsets[MOST_FIELDS] = {0};
    unsigned size = TABLE_HEAD;
    for (size_t i = 0; i < n && i < MOST_FIELDS; i++) {
        if (slots[i].width == 0)
            continue;
        size = (size + slots[i].width - 1) / slots[i].width * slots[i].width;
        offsets[i] = (uint16_t)size;
        size += slots[i].width;
    }
    size_t layout = VTABLE_HEAD + 2 * n;
    pad(builder, layout, ALIGNMENT);
    put(builder, layout, 2);
    put(builder, size, 2);
    for (size_t i = 0; i < n; i++)
        put(builder, offsets[i], 2);
    size_t table = here(builder);
    put(builder, layout, 4);
    for (size_t i = 0; i < n; i++) {
        if (slots[i].width == 0)
            continue;
        while (here(builder) < table + offsets[i] && !builder->out->failed)
            ftl_strbuf_putc(builder->out, 0);
        put(builder, (uint64_t)slots[i].value, slots[i].width);
    }
    return table;
}

size_t ftl_fb_put_vector(ftl_fb_builder *builder, const void *data, size_t count, size_t item_size,
                         size_t alignment)
{
    enum { COUNT_SIZE = 4 };
    pad(builder, COUNT_SIZE, alignment > COUNT_SIZE ? alignment : COUNT_SIZE);
    size_t vector = here(builder);
    put(builder, count, COUNT_SIZE);
    if (data && count) {
        ftl_strbuf_append(builder->out, data, count * item_size);
    } else {
        for (size_t i = 0; i < count * item_size; i++)
            ftl_strbuf_putc(builder->out, 0);
    }
    return vector;
}

size_t ftl_fb_put_text(ftl_fb_builder *builder, const char *text)
{
    size_t position = ftl_fb_put_vector(builder, text, strlen(text), 1, 4);
    ftl_strbuf_putc(builder->out, 0);
    return position;
}

static unsigned char *bytes_at(const ftl_fb_builder *builder, size_t position)
{
    return (unsigned char *)builder->out->data + builder->begin + position;
}

void ftl_fb_refer(ftl_fb_builder *builder, size_t from, size_t to)
{
    if (builder->out->failed)
        return;
    for (unsigned i = 0; i < 4; i++)
        bytes_at(builder, from)[i] = (unsigned char)((to - from) >> 8 * i);
}

size_t ftl_fb_slot_of(const ftl_fb_builder *builder, size_t table, size_t field)
{
    if (builder->out->failed)
        return 0;
    /* the layout stands right before its table, which begins with the distance */
    const unsigned char *layout = bytes_at(builder, table - bytes_at(builder, table)[0]);
    return table + (size_t)(layout[4 + 2 * field] | layout[5 + 2 * field] << 8);
}

size_t ftl_fb_item_of(size_t vector, size_t item, size_t item_size)
{
    return vector + 4 + item * item_size;
}
