#include "plan/tree_layout.h"

#include <math.h>
#include <string.h>

enum {
    small_tree = 2048,        /* nodes: level order up to here; beyond, subtrees stay together */
    near_cache = 24 << 10,    /* bytes of rows that pass all trees together */
    far_cache = 512 << 10,    /* the same when the trees are too large to stay in the cache */
    large_ensemble = 1 << 20, /* bytes of nodes */
    group = 16,               /* rows in flight in the kernels */
    least_rows = 64,
    most_rows = 4096
};

typedef struct packer {
    const ftl_tree_nodes *nodes;
    const uint32_t *rank; /* feature → column of the converted rows; NULL: itself */
    ftl_tree_payload payload;
    bool wide;
    uint32_t *order;    /* position → local id; all three have room for the largest tree */
    uint32_t *children; /* local id of a split → position of its left child */
    uint32_t *level;    /* position → depth */
    uint32_t n_placed;
    unsigned char *out; /* packed nodes */
    uint8_t *kinds;
    size_t n_out;
} packer;

static float largest_f32(double t)
{
    float f = (float)t;
    return (double)f > t ? nextafterf(f, -INFINITY) : f;
}

/* Places the children of the split at a position behind everything placed so far. */
static void place_children(packer *p, uint32_t first, uint32_t at)
{
    uint32_t local = p->order[at], node = first + local, tail = p->n_placed;
    p->order[tail] = (uint32_t)p->nodes->left[node];
    p->order[tail + 1] = (uint32_t)p->nodes->right[node];
    p->level[tail] = p->level[tail + 1] = p->level[at] + 1;
    p->children[local] = tail;
    p->n_placed += 2;
}

static bool is_split(const packer *p, uint32_t first, uint32_t at)
{
    return !(p->nodes->flags[first + p->order[at]] & FTL_NODE_LEAF);
}

static void order_levels(packer *p, uint32_t first)
{
    for (uint32_t at = 0; at < p->n_placed; at++) {
        if (is_split(p, first, at))
            place_children(p, first, at);
    }
}

/*
 * Depth first. Right children that still wait form a list through `children`, whose entry a node
 * needs only once visited.
 */
static void order_subtrees(packer *p, uint32_t first)
{
    uint32_t at = 0, waiting = UINT32_MAX;
    for (;;) {
        if (is_split(p, first, at)) {
            place_children(p, first, at);
            at = p->n_placed - 2;
            p->children[p->order[at + 1]] = waiting;
            waiting = at + 1;
            continue;
        }
        if (waiting == UINT32_MAX)
            return;
        at = waiting;
        waiting = p->children[p->order[at]];
    }
}

static void place_tree(packer *p, uint32_t tree)
{
    uint32_t first = p->nodes->root[tree];
    p->order[0] = 0;
    p->level[0] = 0;
    p->n_placed = 1;
    if (p->nodes->root[tree + 1] - first <= small_tree)
        order_levels(p, first);
    else
        order_subtrees(p, first);
}

/* The lowest row of values of a tree, so that leaves count from 0. */
static uint32_t lowest_row(const ftl_tree_nodes *nodes, uint32_t tree)
{
    uint32_t first = nodes->root[tree], lowest = UINT32_MAX;
    if (!nodes->leaf)
        return first;
    for (uint32_t i = first; i < nodes->root[tree + 1]; i++) {
        if ((nodes->flags[i] & FTL_NODE_LEAF) && (uint32_t)nodes->leaf[i] < lowest)
            lowest = (uint32_t)nodes->leaf[i];
    }
    return lowest;
}

static uint32_t leaf_number(const packer *p, uint32_t node, uint32_t local, uint32_t base)
{
    if (p->payload == FTL_TREE_NODE_ID)
        return local;
    return (p->nodes->leaf ? (uint32_t)p->nodes->leaf[node] : node) - base;
}

static void put8(packer *p, float threshold, uint32_t feature, uint32_t next)
{
    ftl_tree_node8 node = {
        .threshold = threshold, .feature = (uint16_t)feature, .next = (uint16_t)next};
    memcpy(p->out + p->n_out * sizeof node, &node, sizeof node);
}

static void put16(packer *p, double threshold, uint32_t feature, uint32_t next)
{
    ftl_tree_node16 node = {.threshold = threshold, .feature = feature, .next = next};
    memcpy(p->out + p->n_out * sizeof node, &node, sizeof node);
}

/* False when the leaf does not fit 8 bytes. */
static bool pack_leaf(packer *p, uint32_t number)
{
    if (p->wide) {
        uint64_t bits = ftl_tree_leaf16_bits(number);
        double threshold;
        memcpy(&threshold, &bits, sizeof threshold);
        put16(p, threshold, 0, 0);
        return true;
    }
    uint32_t bits = ftl_tree_leaf8_bits(number);
    float threshold;
    memcpy(&threshold, &bits, sizeof threshold);
    put8(p, threshold, 0, 0);
    return number < 1u << FTL_TREE_LEAF8_BITS;
}

static bool pack_split(packer *p, uint32_t node, uint32_t next)
{
    uint32_t feature = (uint32_t)p->nodes->feature[node];
    double threshold = p->nodes->threshold[node];
    if (p->rank)
        feature = p->rank[feature];
    if (p->wide) {
        if (p->nodes->flags[node] & FTL_NODE_CATEGORICAL) {
            uint64_t bits = ftl_tree_leaf16_bits((uint32_t)threshold);
            memcpy(&threshold, &bits, sizeof threshold);
        }
        put16(p, threshold, feature, next);
        return true;
    }
    put8(p, largest_f32(threshold), feature, next);
    return next <= UINT16_MAX && feature <= UINT16_MAX;
}

static uint8_t kind_of(uint32_t flags)
{
    if (flags & FTL_NODE_LEAF)
        return 0;
    return (uint8_t)((flags & FTL_NODE_MISSING_LEFT ? 0 : FTL_TREE_NAN_RIGHT) |
                     (flags & FTL_NODE_CATEGORICAL ? FTL_TREE_CATEGORICAL : 0) |
                     (flags & FTL_NODE_NEGATIVE_MISSING ? FTL_TREE_NEGATIVE_MISSING : 0));
}

/* False when the tree does not fit 8-byte nodes. */
static bool pack_tree(packer *p, uint32_t tree, uint32_t base, ftl_tree_walk *walk)
{
    uint32_t first = p->nodes->root[tree], leaves = 0, deepest = 0;
    uint64_t depths = 0;
    size_t size = p->wide ? sizeof(ftl_tree_node16) : sizeof(ftl_tree_node8);
    place_tree(p, tree);
    *walk = (ftl_tree_walk){.nodes = p->out + p->n_out * size,
                            .kinds = p->kinds + p->n_out,
                            .bitsets = p->nodes->bitsets};
    bool fits = true;
    for (uint32_t at = 0; at < p->n_placed; at++) {
        uint32_t local = p->order[at], node = first + local;
        p->kinds[p->n_out] = kind_of(p->nodes->flags[node]);
        if (p->nodes->flags[node] & FTL_NODE_LEAF) {
            fits &= pack_leaf(p, leaf_number(p, node, local, base));
            leaves++;
            depths += p->level[at];
            deepest = p->level[at] > deepest ? p->level[at] : deepest;
        } else
            fits &= pack_split(p, node, p->children[local] - at);
        p->n_out++;
    }
    walk->depth = deepest;
    walk->sure = (uint32_t)(depths / leaves);
    return fits;
}

static ftl_status make_packer(ftl_arena *scratch, packer *p, ftl_error *error)
{
    uint32_t largest = 0;
    for (uint32_t t = 0; t < p->nodes->n_trees; t++) {
        uint32_t size = p->nodes->root[t + 1] - p->nodes->root[t];
        largest = size > largest ? size : largest;
    }
    p->order = ftl_arena_array(scratch, largest, sizeof *p->order);
    p->children = ftl_arena_array(scratch, largest, sizeof *p->children);
    p->level = ftl_arena_array(scratch, largest, sizeof *p->level);
    return p->order && p->children && p->level ? FTL_OK : FTL_OOM(error);
}

/* The columns that some tree looks at, and their ranks. */
static ftl_status find_used(ftl_plan *plan, ftl_arena *scratch, packer *p, ftl_tree_layout *out,
                            ftl_error *error)
{
    const ftl_tree_nodes *nodes = p->nodes;
    uint32_t *rank = ftl_arena_zero_array(scratch, out->n_columns, sizeof *rank);
    uint32_t *used = ftl_arena_array(&plan->arena, out->n_columns, sizeof *used);
    if (!rank || !used)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < nodes->n_nodes; i++) {
        if (!(nodes->flags[i] & FTL_NODE_LEAF))
            rank[nodes->feature[i]] = 1;
    }
    out->n_used = 0;
    for (uint32_t c = 0; c < out->n_columns; c++) {
        if (rank[c]) {
            rank[c] = out->n_used;
            used[out->n_used++] = c;
        }
    }
    /* A leaf alone reads column 0, whatever it holds. */
    if (out->n_used == 0)
        used[out->n_used++] = 0;
    out->used = used;
    p->rank = rank;
    return FTL_OK;
}

static ftl_status pack(ftl_plan *plan, ftl_arena *scratch, packer *p, ftl_tree_layout *out,
                       const uint32_t *bases, bool *fits, ftl_error *error)
{
    const ftl_tree_nodes *nodes = p->nodes;
    size_t size = out->wide ? sizeof(ftl_tree_node16) : sizeof(ftl_tree_node8);
    ftl_tree_walk *walks = ftl_arena_array(&plan->arena, nodes->n_trees, sizeof *walks);
    p->wide = out->wide;
    p->rank = NULL;
    p->n_out = 0;
    out->convert = out->wide ? out->source_f32 || out->narrow_first : !out->source_f32;
    if (out->convert)
        FTL_TRY(find_used(plan, scratch, p, out, error));
    p->out = ftl_arena_alloc_aligned(&plan->arena, nodes->n_nodes * size);
    p->kinds = ftl_arena_array(&plan->arena, nodes->n_nodes, 1);
    if (!walks || !p->out || !p->kinds)
        return FTL_OOM(error);
    *fits = true;
    for (uint32_t t = 0; t < nodes->n_trees && *fits; t++)
        *fits = pack_tree(p, t, bases ? bases[t] : 0, &walks[t]);
    out->walks = walks;
    return FTL_OK;
}

static uint32_t choose_block(const ftl_tree_layout *layout, const ftl_tree_nodes *nodes)
{
    size_t element = layout->wide ? sizeof(double) : sizeof(float);
    size_t row = (layout->convert ? layout->n_used : layout->n_columns) * element;
    size_t trees = (size_t)nodes->n_nodes *
                   (layout->wide ? sizeof(ftl_tree_node16) : sizeof(ftl_tree_node8));
    size_t rows = (trees > large_ensemble ? far_cache : near_cache) / row / group * group;
    if (rows < least_rows)
        rows = row < far_cache / least_rows ? least_rows : far_cache / row + 1;
    return (uint32_t)(rows > most_rows ? most_rows : rows);
}

static ftl_status layout_make(ftl_plan *plan, ftl_arena *scratch, packer *p, ftl_tree_layout *out,
                              const uint32_t **leaf_base, ftl_error *error)
{
    uint32_t *bases = NULL;
    if (p->payload == FTL_TREE_LEAF_ROW) {
        bases = ftl_arena_array(&plan->arena, p->nodes->n_trees, sizeof *bases);
        if (!bases)
            return FTL_OOM(error);
        for (uint32_t t = 0; t < p->nodes->n_trees; t++)
            bases[t] = lowest_row(p->nodes, t);
        *leaf_base = bases;
    }
    bool fits = false;
    FTL_TRY(make_packer(scratch, p, error));
    FTL_TRY(pack(plan, scratch, p, out, bases, &fits, error));
    if (!fits) {
        out->wide = true;
        FTL_TRY(pack(plan, scratch, p, out, bases, &fits, error));
    }
    return FTL_OK;
}

ftl_status ftl_tree_layout_make(ftl_plan *plan, const ftl_step *step, const ftl_tree_nodes *nodes,
                                ftl_tree_input input, ftl_tree_payload payload,
                                ftl_tree_layout *out, const uint32_t **leaf_base, ftl_error *error)
{
    const ftl_step *source = &plan->steps[step->op->segments[0].op];
    *out = (ftl_tree_layout){
        .kernels = ftl_kernels_get(),
        .wide = input == FTL_TREE_INPUT_F64,
        .narrow_first = input == FTL_TREE_INPUT_F32 && !source->is_f32,
        .source_f32 = source->is_f32,
        .n_columns = source->op->width,
        .n_trees = nodes->n_trees,
    };
    for (uint32_t i = 0; i < nodes->n_nodes && out->wide && !out->categorical; i++)
        out->categorical = (nodes->flags[i] & FTL_NODE_CATEGORICAL) != 0;
    packer p = {.nodes = nodes, .payload = payload};
    ftl_arena scratch;
    ftl_arena_init(&scratch, &plan->account);
    ftl_status status = layout_make(plan, &scratch, &p, out, leaf_base, error);
    ftl_arena_free(&scratch);
    if (status != FTL_OK)
        return status;
    out->block = choose_block(out, nodes);
    size_t element = out->wide ? sizeof(double) : sizeof(float);
    out->room_bytes = out->convert ? ((size_t)out->block * out->n_used * element + 63) / 64 * 64
                                   : 0;
    return FTL_OK;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static void convert_f64(const ftl_tree_layout *l, const double *from, uint32_t n, void *room)
{
    float *narrow = room;
    double *wide = room;
    if (!l->wide && l->n_used == l->n_columns) {
        l->kernels->trees.narrow(from, (size_t)n * l->n_columns, narrow);
        return;
    }
    for (uint32_t r = 0; r < n; r++, from += l->n_columns) {
        for (uint32_t j = 0; j < l->n_used; j++) {
            float value = (float)from[l->used[j]];
            if (l->wide)
                *wide++ = (double)value;
            else
                *narrow++ = value;
        }
    }
}

static void widen_f32(const ftl_tree_layout *l, const float *from, uint32_t n, double *room)
{
    for (uint32_t r = 0; r < n; r++, from += l->n_columns) {
        for (uint32_t j = 0; j < l->n_used; j++)
            *room++ = (double)from[l->used[j]];
    }
}

ftl_tree_rows ftl_tree_rows_make(const ftl_tree_layout *l, const void *source, uint32_t first,
                                 uint32_t n, void *room)
{
    ftl_tree_rows rows = {.x = room, .n = n, .stride = l->convert ? l->n_used : l->n_columns};
    size_t skip = (size_t)first * l->n_columns;
    if (!l->convert)
        rows.x = l->source_f32 ? (const void *)((const float *)source + skip)
                               : (const void *)((const double *)source + skip);
    else if (l->source_f32)
        widen_f32(l, (const float *)source + skip, n, room);
    else
        convert_f64(l, (const double *)source + skip, n, room);
    rows.nan = l->wide ? l->kernels->trees.any_nan_f64(rows.x, n * rows.stride)
                       : l->kernels->trees.any_nan_f32(rows.x, n * rows.stride);
    return rows;
}

void ftl_tree_rows_walk(const ftl_tree_layout *l, uint32_t tree, const ftl_tree_rows *rows,
                        uint32_t *leaf)
{
    const ftl_tree_kernels *k = &l->kernels->trees;
    if (l->wide) {
        ftl_tree_walk_f64_fn *walk = l->categorical ? k->f64_category
                                     : rows->nan    ? k->f64_nan
                                                    : k->f64;
        walk(&l->walks[tree], rows->x, rows->stride, rows->n, leaf);
    } else {
        ftl_tree_walk_f32_fn *walk = rows->nan ? k->f32_nan : k->f32;
        walk(&l->walks[tree], rows->x, rows->stride, rows->n, leaf);
    }
}

bool ftl_tree_rows_are_plain(const ftl_tree_layout *l, const ftl_tree_rows *rows)
{
    return !rows->nan && !l->categorical;
}

void ftl_tree_row_walk(const ftl_tree_layout *l, uint32_t first_tree, uint32_t n_trees,
                       const ftl_tree_rows *rows, uint32_t row, uint32_t *leaf)
{
    const ftl_tree_kernels *k = &l->kernels->trees;
    if (l->wide)
        k->row_f64(l->walks + first_tree, n_trees, (const double *)rows->x + row * rows->stride,
                   leaf);
    else
        k->row_f32(l->walks + first_tree, n_trees, (const float *)rows->x + row * rows->stride,
                   leaf);
}
