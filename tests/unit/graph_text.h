/*
 * An object graph as text, in the form of tests/golden/README.md: one value per line, children
 * indented. Arrays are native-endian here. Shared nodes are written each time; depth is bounded and
 * cycles end there.
 */
#ifndef GRAPH_TEXT_H
#define GRAPH_TEXT_H

#include "base/strbuf.h"
#include "pickle/node.h"

#include <stdlib.h>
#include <string.h>

enum { GRAPH_TEXT_DEPTH = 64 };

static void graph_text(ftl_strbuf *out, const ftl_node *node, int depth);

static inline void graph_indent(ftl_strbuf *out, int depth)
{
    for (int i = 0; i < depth; i++)
        ftl_strbuf_puts(out, "  ");
}

static inline void graph_quoted(ftl_strbuf *out, const char *kind, const ftl_node_string *text)
{
    ftl_strbuf_printf(out, "%s \"", kind);
    for (size_t i = 0; i < text->size; i++) {
        unsigned char c = (unsigned char)text->data[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
            ftl_strbuf_printf(out, "\\x%02x", c);
        else
            ftl_strbuf_putc(out, (char)c);
    }
    ftl_strbuf_puts(out, "\"\n");
}

/* Two's complement little-endian bytes as -1f. */
static inline void graph_bigint(ftl_strbuf *out, const ftl_node_string *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes->data;
    bool negative = bytes->size && b[bytes->size - 1] & 0x80;
    unsigned char magnitude[4096];
    size_t n = bytes->size < sizeof magnitude ? bytes->size : sizeof magnitude;
    unsigned carry = 1;
    for (size_t i = 0; i < n; i++) {
        unsigned v = negative ? (unsigned char)~b[i] + carry : b[i];
        magnitude[i] = (unsigned char)v;
        carry = v >> 8;
    }
    while (n > 1 && magnitude[n - 1] == 0)
        n--;
    ftl_strbuf_printf(out, "int %s", negative ? "-" : "");
    for (size_t i = n; i-- > 0;)
        ftl_strbuf_printf(out, i + 1 == n ? "%x" : "%02x", magnitude[i]);
    ftl_strbuf_puts(out, "\n");
}

static inline void graph_dtype(ftl_strbuf *out, const ftl_dtype *dtype)
{
    for (uint32_t i = 0; i < dtype->n_fields; i++) {
        ftl_strbuf_printf(out, "%s%s:", i ? "," : "", dtype->fields[i].name);
        graph_dtype(out, dtype->fields[i].dtype);
        ftl_strbuf_printf(out, "@%u", dtype->fields[i].offset);
    }
    if (dtype->n_fields) {
        ftl_strbuf_printf(out, "/%u", dtype->item_size);
        return;
    }
    bool orderless = dtype->item_size == 1 || strchr("SVO", dtype->kind);
    ftl_strbuf_printf(out, "%c%c", orderless ? '|' : dtype->swapped ? '>' : '<', dtype->kind);
    if (dtype->kind != 'O')
        ftl_strbuf_printf(out, "%u", dtype->kind == 'U' ? dtype->item_size / 4 : dtype->item_size);
}

/* Place of element i (C order) in the data. */
static inline size_t graph_place(const ftl_node_array *a, size_t i)
{
    size_t place = 0, step = 1, back[FTL_MAX_DIMS];
    if (!a->fortran)
        return i;
    for (uint32_t d = a->ndim; d-- > 0;) {
        back[d] = i % a->shape[d];
        i /= a->shape[d];
    }
    for (uint32_t d = 0; d < a->ndim; d++) {
        place += back[d] * step;
        step *= a->shape[d];
    }
    return place;
}

static inline void graph_hex(ftl_strbuf *out, const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ftl_strbuf_printf(out, "%02x", p[i]);
}

static inline void graph_array(ftl_strbuf *out, const ftl_node_array *a, int depth)
{
    uint32_t item = a->dtype->item_size;
    if (a->ndim == 0 && a->data && !a->dtype->n_fields) {
        ftl_strbuf_puts(out, "scalar ");
        graph_dtype(out, a->dtype);
        ftl_strbuf_puts(out, " ");
        graph_hex(out, a->data, item);
        ftl_strbuf_puts(out, "\n");
        return;
    }
    ftl_strbuf_puts(out, "ndarray ");
    graph_dtype(out, a->dtype);
    for (uint32_t d = 0; d < a->ndim; d++)
        ftl_strbuf_printf(out, "%c%zu", d ? 'x' : ' ', a->shape[d]);
    ftl_strbuf_puts(out, a->ndim ? "\n" : " scalar\n");
    size_t line = a->ndim > 1 && a->shape[a->ndim - 1] < 16 ? a->shape[a->ndim - 1] : 16;
    for (size_t i = 0; i < a->size; i++) {
        if (a->objects) {
            graph_text(out, a->objects[i], depth + 1);
            continue;
        }
        if (i % line == 0)
            graph_indent(out, depth + 1);
        graph_hex(out, (const unsigned char *)a->data + graph_place(a, i) * item, item);
        ftl_strbuf_puts(out, (i + 1) % line == 0 || i + 1 == a->size ? "\n" : " ");
    }
}

static inline void graph_sequence(ftl_strbuf *out, const char *kind, const ftl_node_sequence *s,
                                  int depth)
{
    ftl_strbuf_printf(out, "%s %zu\n", kind, s->size);
    for (size_t i = 0; i < s->size; i++)
        graph_text(out, s->items[i], depth + 1);
}

static inline void graph_dict(ftl_strbuf *out, const char *kind, const ftl_node_dict *d, int depth)
{
    ftl_strbuf_printf(out, "%s %zu\n", kind, d->size);
    for (size_t i = 0; i < d->size; i++) {
        graph_text(out, d->keys[i], depth + 1);
        graph_text(out, d->values[i], depth + 1);
    }
}

static inline void graph_object(ftl_strbuf *out, const ftl_node_object *o, int depth)
{
    ftl_strbuf_printf(out, "object %s.%s\n", o->module, o->name);
    if (o->args) {
        graph_indent(out, depth + 1);
        ftl_strbuf_puts(out, "args\n");
        graph_text(out, o->args, depth + 2);
    }
    if (o->state) {
        graph_indent(out, depth + 1);
        ftl_strbuf_puts(out, "state\n");
        graph_text(out, o->state, depth + 2);
    }
    if (o->items.size) {
        graph_indent(out, depth + 1);
        graph_sequence(out, "items", &o->items, depth + 1);
    }
    if (o->dict_items.size) {
        graph_indent(out, depth + 1);
        graph_dict(out, "dict_items", &o->dict_items, depth + 1);
    }
}

static inline void graph_sparse(ftl_strbuf *out, const ftl_node_sparse *s, int depth)
{
    ftl_strbuf_printf(out, "%s %zux%zu\n", s->csc ? "csc" : "csr", s->rows, s->columns);
    graph_text(out, s->data, depth + 1);
    graph_text(out, s->indices, depth + 1);
    graph_text(out, s->indptr, depth + 1);
}

static inline void graph_number(ftl_strbuf *out, const ftl_node *node)
{
    if (node->kind == FTL_NODE_INT) {
        uint64_t magnitude = node->u.integer < 0 ? 0 - (uint64_t)node->u.integer
                                                 : (uint64_t)node->u.integer;
        ftl_strbuf_printf(out, "int %s%llx\n", node->u.integer < 0 ? "-" : "",
                          (unsigned long long)magnitude);
    } else {
        uint64_t bits;
        memcpy(&bits, &node->u.number, 8);
        ftl_strbuf_printf(out, "float %016llx\n", (unsigned long long)bits);
    }
}

static void graph_text(ftl_strbuf *out, const ftl_node *node, int depth)
{
    if (out->failed) /* shared nodes can make the text exponential: the buffer's limit ends it */
        return;
    graph_indent(out, depth);
    if (depth > GRAPH_TEXT_DEPTH) {
        ftl_strbuf_puts(out, "...\n");
        return;
    }
    switch (node->kind) {
    case FTL_NODE_NONE:
        ftl_strbuf_puts(out, "none\n");
        break;
    case FTL_NODE_BOOL:
        ftl_strbuf_printf(out, "bool %s\n", node->u.boolean ? "True" : "False");
        break;
    case FTL_NODE_INT:
    case FTL_NODE_FLOAT:
        graph_number(out, node);
        break;
    case FTL_NODE_BIGINT:
        graph_bigint(out, &node->u.str);
        break;
    case FTL_NODE_STR:
        graph_quoted(out, "str", &node->u.str);
        break;
    case FTL_NODE_BYTES:
        graph_quoted(out, "bytes", &node->u.str);
        break;
    case FTL_NODE_TUPLE:
        graph_sequence(out, "tuple", &node->u.seq, depth);
        break;
    case FTL_NODE_LIST:
        graph_sequence(out, "list", &node->u.seq, depth);
        break;
    case FTL_NODE_SET:
        graph_sequence(out, "set", &node->u.seq, depth);
        break;
    case FTL_NODE_DICT:
        graph_dict(out, "dict", &node->u.dict, depth);
        break;
    case FTL_NODE_GLOBAL:
        ftl_strbuf_printf(out, "global %s.%s\n", node->u.global.module, node->u.global.name);
        break;
    case FTL_NODE_OBJECT:
        graph_object(out, node->u.object, depth);
        break;
    case FTL_NODE_DTYPE:
        ftl_strbuf_puts(out, "dtype ");
        graph_dtype(out, node->u.dtype);
        ftl_strbuf_puts(out, "\n");
        break;
    case FTL_NODE_ARRAY:
        graph_array(out, node->u.array, depth);
        break;
    case FTL_NODE_SPARSE:
        graph_sparse(out, node->u.sparse, depth);
        break;
    case FTL_NODE_PERSISTENT:
        ftl_strbuf_puts(out, "persistent\n");
        graph_text(out, node->u.persistent, depth + 1);
        break;
    }
}

#endif
