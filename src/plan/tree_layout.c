#include "plan/tree_layout.h"

#include <string.h>

enum {
    near_cache = 24 << 10,    /* bytes of rows that pass all trees together */
    far_cache = 512 << 10,    /* the same when the trees are too large to stay in the cache */
    large_ensemble = 1 << 20, /* bytes of nodes */
    group = 16,               /* rows in flight in the kernels */
    least_rows = 64,
    few_columns = 64, /* up to here all columns are converted, used or not */
    most_rows = 4096,
    least_cut_rows = 16, /* fewer rows are walked: cuts cost the same for 1 as for 64 */
    most_cut_rows = 1024
};

typedef struct packer {
    const ftl_tree_nodes *nodes;
    const uint32_t *rank; /* feature → column of the converted rows; NULL: itself */
    ftl_tree_payload payload;
    const ftl_trees_op *sums; /* what sums leaf values, or NULL */
    bool wide;
    uint32_t *place; /* local id → position; all have room for the largest tree */
    uint32_t *level; /* local id → depth */
    uint32_t *order; /* ids, parents first */
    uint32_t n_ordered;
    uint32_t n_placed;
    const uint8_t *kind_of; /* [256] flags → kind */
    unsigned char *out;     /* packed nodes of the tree in hand */
    uint8_t *kinds;
} packer;

/* Ids in an order that has parents first: level by level. */
static void order_levels(packer *p, uint32_t first)
{
    p->order[0] = 0;
    p->n_ordered = 1;
    for (uint32_t at = 0; at < p->n_ordered; at++) {
        uint32_t node = first + p->order[at];
        if (p->nodes->flags[node] & FTL_NODE_LEAF)
            continue;
        p->order[p->n_ordered++] = (uint32_t)p->nodes->left[node];
        p->order[p->n_ordered++] = (uint32_t)p->nodes->right[node];
    }
}

static inline uint32_t leaf_row(const ftl_tree_nodes *nodes, uint32_t node)
{
    return nodes->leaf ? (uint32_t)nodes->leaf[node] : node;
}

/* The row of a tree's first leaf: nearly always its lowest. */
static uint32_t first_row(const ftl_tree_nodes *nodes, uint32_t tree)
{
    uint32_t i = nodes->root[tree];
    while (!(nodes->flags[i] & FTL_NODE_LEAF) && i + 1 < nodes->root[tree + 1])
        i++;
    return leaf_row(nodes, i);
}

/* The lowest row of values of a tree, so that leaves count from 0. */
uint32_t ftl_tree_lowest_row(const ftl_tree_nodes *nodes, uint32_t tree)
{
    uint32_t first = nodes->root[tree], lowest = UINT32_MAX;
    for (uint32_t i = first; i < nodes->root[tree + 1]; i++) {
        if ((nodes->flags[i] & FTL_NODE_LEAF) && leaf_row(nodes, i) < lowest)
            lowest = leaf_row(nodes, i);
    }
    return lowest;
}

/* A leaf only stays where it is: whatever else its flags say is not looked at. */
static uint8_t kind_of(uint32_t flags)
{
    if (flags & FTL_NODE_LEAF)
        return 0;
    return (uint8_t)((flags & FTL_NODE_MISSING_LEFT ? 0 : FTL_TREE_NAN_RIGHT) |
                     (flags & FTL_NODE_CATEGORICAL ? FTL_TREE_CATEGORICAL : 0) |
                     (flags & FTL_NODE_NEGATIVE_MISSING ? FTL_TREE_NEGATIVE_MISSING : 0) |
                     (flags & FTL_NODE_ZERO_MISSING ? FTL_TREE_ZERO_MISSING : 0) |
                     (flags & FTL_NODE_SET_RIGHT ? FTL_TREE_SET_RIGHT : 0));
}

typedef struct packed_tree {
    uint32_t leaves, deepest;
    uint64_t depths; /* of all leaves */
    /* 8-byte nodes: the bits of all distances and features, and of all numbers of leaves */
    uint32_t halves, numbers;
    bool fits;    /* the form of node and the base of the leaves' numbers */
    bool ordered; /* parents came before their children */
} packed_tree;

/*
 * One node whose parent was packed before it: its children get the next two positions. Leaves and
 * splits take the same way, as half the guesses of a branch would be wrong; what a leaf would write
 * for its children goes to the room behind the tree.
 */
static inline __attribute__((always_inline)) void pack_node(packer *p, uint32_t first,
                                                            uint32_t size, uint32_t local,
                                                            uint32_t base, bool wide,
                                                            packed_tree *tree)
{
    const ftl_tree_nodes *nodes = p->nodes;
    uint32_t node = first + local, at = p->place[local], level = p->level[local],
             flags = nodes->flags[node];
    bool split = !(flags & FTL_NODE_LEAF);
    uint32_t left = split ? (uint32_t)nodes->left[node] : size,
             right = split ? (uint32_t)nodes->right[node] : size;
    /* A leaf reads column 0, whatever it holds. */
    uint32_t next = split ? p->n_placed - at : 0,
             feature = split ? (uint32_t)nodes->feature[node] : 0;
    uint32_t number = (p->payload == FTL_TREE_NODE_ID ? local : leaf_row(nodes, node)) - base;
    feature = p->rank ? p->rank[feature] : feature;
    p->kinds[at] = p->kind_of[flags];
    p->place[left] = p->n_placed;
    p->place[right] = p->n_placed + 1;
    p->level[left] = p->level[right] = level + 1;
    p->n_placed += split ? 2 : 0;
    tree->ordered &= (left > local) & (right > local);
    tree->leaves += !split;
    tree->depths += split ? 0 : level;
    tree->deepest = level > tree->deepest ? level : tree->deepest;
    if (wide) {
        uint64_t bits, leaf = ftl_tree_leaf16_bits(number);
        memcpy(&bits, &nodes->threshold[node], sizeof bits);
        if (split && (flags & FTL_NODE_CATEGORICAL))
            bits = ftl_tree_leaf16_bits((uint32_t)nodes->threshold[node]);
        bits = split ? bits : leaf;
        ftl_tree_node16 packed = {.feature = feature, .next = next};
        memcpy(&packed.threshold, &bits, sizeof bits);
        memcpy(p->out + at * sizeof packed, &packed, sizeof packed);
        tree->fits &= split | (number <= INT32_MAX);
    } else {
        float threshold = ftl_tree_largest_f32(nodes->threshold[node]);
        uint32_t bits, leaf = ftl_tree_leaf8_bits(number);
        memcpy(&bits, &threshold, sizeof bits);
        bits = split ? bits : leaf;
        ftl_tree_node8 *packed = (ftl_tree_node8 *)(void *)p->out + at;
        memcpy(&packed->threshold, &bits, sizeof bits);
        packed->feature = (uint16_t)feature;
        packed->next = (uint16_t)next;
        tree->halves |= next | feature;
        tree->numbers |= split ? 0 : number;
    }
}

/* The nodes as they come; result.ordered is false when one comes before its parent. */
static inline __attribute__((always_inline)) packed_tree pack_in_order(packer *p, uint32_t first,
                                                                       uint32_t size, uint32_t base,
                                                                       bool wide)
{
    packed_tree result = {.fits = true, .ordered = true};
    /* Copies that nothing points to stay in registers, whatever is written. */
    const ftl_tree_nodes nodes = *p->nodes;
    packer own = *p;
    own.nodes = &nodes;
    memset(own.place, 0, (size + 1) * sizeof *own.place);
    own.level[0] = 0;
    own.n_placed = 1;
    for (uint32_t local = 0; local < size && result.ordered; local++) {
        if (FTL_LIKELY(own.place[local] != 0 || local == 0))
            pack_node(&own, first, size, local, base, wide, &result);
    }
    p->n_placed = own.n_placed;
    return result;
}

static inline __attribute__((always_inline)) packed_tree pack_nodes(packer *p, uint32_t first,
                                                                    uint32_t size, uint32_t base,
                                                                    bool wide)
{
    packed_tree result = pack_in_order(p, first, size, base, wide);
    if (result.ordered)
        return result;
    result = (packed_tree){.fits = true};
    p->n_placed = 1;
    order_levels(p, first);
    for (uint32_t i = 0; i < p->n_ordered; i++)
        pack_node(p, first, size, p->order[i], base, wide, &result);
    return result;
}

static const ftl_tree_category_rule category_rules[FTL_CATEGORY_RULE_COUNT] = {
    [FTL_CATEGORY_BYTE] = FTL_TREE_CATEGORY_BYTE,
    [FTL_CATEGORY_INT] = FTL_TREE_CATEGORY_INT,
    [FTL_CATEGORY_NOT_NEGATIVE] = FTL_TREE_CATEGORY_NOT_NEGATIVE,
};

/*
 * False when the tree does not fit. Nodes are taken in the library's order, which for scikit-learn
 * is depth first with parents first, so that subtrees stay together; nodes that no other leads to
 * are left out.
 */
static bool pack_tree(packer *p, uint32_t tree, uint32_t base, ftl_tree_walk *walk)
{
    uint32_t first = p->nodes->root[tree], size = p->nodes->root[tree + 1] - first;
    walk->nodes = p->out;
    walk->kinds = p->kinds;
    walk->category_rule = category_rules[p->nodes->category_rule];
    packed_tree result = p->wide ? pack_nodes(p, first, size, base, true)
                                 : pack_nodes(p, first, size, base, false);
    result.fits &= result.halves <= UINT16_MAX && result.numbers < 1u << FTL_TREE_LEAF8_BITS;
    walk->depth = result.deepest;
    walk->sure = (uint32_t)(result.depths / result.leaves);
    p->out += p->n_placed * (p->wide ? sizeof(ftl_tree_node16) : sizeof(ftl_tree_node8));
    p->kinds += p->n_placed;
    return result.fits;
}

static ftl_status make_packer(ftl_arena *scratch, packer *p, ftl_error *error)
{
    uint32_t largest = 0;
    for (uint32_t t = 0; t < p->nodes->n_trees; t++) {
        uint32_t size = p->nodes->root[t + 1] - p->nodes->root[t];
        largest = size > largest ? size : largest;
    }
    size_t room = (size_t)largest + 1;
    uint8_t *kinds = ftl_arena_array(scratch, UINT8_MAX + 1, sizeof *kinds);
    for (uint32_t flags = 0; kinds && flags <= UINT8_MAX; flags++)
        kinds[flags] = kind_of(flags);
    p->kind_of = kinds;
    p->order = ftl_arena_array(scratch, room, sizeof *p->order);
    p->place = ftl_arena_array(scratch, room, sizeof *p->place);
    p->level = ftl_arena_array(scratch, room, sizeof *p->level);
    return kinds && p->order && p->place && p->level ? FTL_OK : FTL_OOM(error);
}

/* The columns that some tree looks at, and their ranks. */
static ftl_status find_used(ftl_plan *plan, ftl_arena *scratch, packer *p, ftl_tree_layout *out,
                            ftl_error *error)
{
    const ftl_tree_nodes *nodes = p->nodes;
    uint32_t *rank = ftl_arena_zero_array(scratch, out->n_columns, sizeof *rank);
    uint32_t *used = ftl_blob_zero_data(&plan->blob, out->n_columns, sizeof *used);
    if (!rank || !used)
        return FTL_OOM(error);
    out->used = used;
    if (out->n_columns <= few_columns) {
        out->n_used = out->n_columns;
        for (uint32_t c = 0; c < out->n_columns; c++)
            used[c] = c;
        return FTL_OK;
    }
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
    if (out->n_used == 0)
        used[out->n_used++] = 0;
    p->rank = rank;
    return FTL_OK;
}

/* The nodes and kinds of all trees; *fits is false, and nothing is kept, when one is too large. */
static ftl_status pack(ftl_plan *plan, ftl_arena *scratch, packer *p, ftl_tree_layout *out,
                       ftl_tree_walk *walks, bool *fits, ftl_error *error)
{
    const ftl_tree_nodes *nodes = p->nodes;
    size_t size = out->wide ? sizeof(ftl_tree_node16) : sizeof(ftl_tree_node8);
    p->wide = out->wide;
    p->rank = NULL;
    out->convert = out->wide ? out->source_f32 || out->narrow_first : !out->source_f32;
    if (out->convert)
        FTL_TRY(find_used(plan, scratch, p, out, error));
    unsigned char *packed = ftl_blob_data(&plan->blob, nodes->n_nodes, size);
    uint8_t *kinds = ftl_blob_data(&plan->blob, nodes->n_nodes, 1);
    if (!packed || !kinds)
        return FTL_OOM(error);
    p->out = packed;
    p->kinds = kinds;
    *fits = true;
    for (uint32_t t = 0; t < nodes->n_trees && *fits; t++)
        *fits = pack_tree(p, t, out->bases ? out->bases[t] : 0, &walks[t]);
    if (!*fits) {
        ftl_blob_drop(&plan->blob, kinds);
        ftl_blob_drop(&plan->blob, packed);
        return FTL_OK;
    }
    /* room for nodes that no other leads to */
    size_t used = (size_t)(p->kinds - kinds);
    memset(p->kinds, 0, nodes->n_nodes - used);
    memset(p->out, 0, (nodes->n_nodes - used) * size);
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

static ftl_status make_cuts(ftl_plan *plan, const packer *p, ftl_tree_layout *out, ftl_error *error)
{
    ftl_cut_request request = {.nodes = p->nodes,
                               .rank = p->rank,
                               .n_features = out->n_columns,
                               .wide = out->wide,
                               .with_values = p->sums && !p->sums->linear,
                               .values_f32 = p->sums && p->sums->sum_f32,
                               .category_rule = category_rules[p->nodes->category_rule],
                               .node_ids = p->payload == FTL_TREE_NODE_ID,
                               .bases = out->bases};
    for (uint32_t t = 0; t < out->n_trees; t++)
        request.steps_of_walk += out->walks[t].sure;
    FTL_TRY(ftl_tree_cuts_make(plan, &request, &out->cuts, error));
    if (!out->cuts)
        return FTL_OK;
    return ftl_tree_masks_make(plan, out->cuts, out->n_trees, request.steps_of_walk, &out->masks,
                               error);
}

/* Rows whose codes stay in the nearest cache. */
static uint32_t cut_block(const ftl_cut_ensemble *cuts)
{
    size_t row = cuts->n_columns * ftl_tree_cuts_size(cuts);
    size_t rows = near_cache / row / FTL_TREE_CODE_ROWS * FTL_TREE_CODE_ROWS;
    rows = rows > most_cut_rows ? most_cut_rows : rows;
    return rows ? (uint32_t)rows : FTL_TREE_CODE_ROWS;
}

static size_t padded_rows(uint32_t n)
{
    return ((size_t)n + FTL_TREE_CODE_ROWS - 1) / FTL_TREE_CODE_ROWS * FTL_TREE_CODE_ROWS;
}

/* Rows are converted a few at a time where they become codes. */
static void place_room(ftl_tree_layout *out)
{
    size_t row = out->convert ? out->n_used * (out->wide ? sizeof(double) : sizeof(float)) : 0;
    out->room_fixed = out->cuts ? FTL_TREE_CODE_ROWS * row : 0;
    out->room_per_row = out->cuts
                            ? (out->cuts->n_columns + (size_t)1) * ftl_tree_cuts_size(out->cuts)
                            : row;
}

size_t ftl_tree_room_bytes(const ftl_tree_layout *l, uint32_t n)
{
    return l->room_fixed + padded_rows(n) * l->room_per_row;
}

void ftl_tree_want_scratch(const ftl_tree_layout *l, ftl_step *step)
{
    step->scratch_fixed = l->room_fixed;
    step->scratch_per_row = l->room_per_row + sizeof(uint32_t);
    step->scratch_rows = (uint32_t)padded_rows(l->block);
}

static ftl_status make_bases(ftl_plan *plan, const packer *p, ftl_tree_layout *out,
                             uint32_t **bases, ftl_error *error)
{
    if (p->payload == FTL_TREE_NODE_ID)
        return FTL_OK;
    *bases = ftl_blob_data(&plan->blob, p->nodes->n_trees, sizeof **bases);
    if (!*bases)
        return FTL_OOM(error);
    for (uint32_t t = 0; t < p->nodes->n_trees; t++)
        (*bases)[t] = p->payload == FTL_TREE_LEAF_INDEX ? ftl_tree_lowest_row(p->nodes, t)
                                                        : first_row(p->nodes, t);
    out->bases = *bases;
    ftl_blob_ref(&plan->blob, &out->bases);
    return FTL_OK;
}

/* Walks point to nodes that are packed in between. */
static ftl_status pack_walks(ftl_plan *plan, ftl_arena *scratch, packer *p, ftl_tree_layout *out,
                             ftl_error *error)
{
    const ftl_tree_nodes *nodes = p->nodes;
    uint32_t n = nodes->n_trees, *bases = NULL;
    ftl_blob *blob = &plan->blob;
    bool fits = false;
    FTL_TRY(make_bases(plan, p, out, &bases, error));
    ftl_tree_walk *walks = ftl_blob_state(blob, n, sizeof *walks);
    if (!walks)
        return FTL_OOM(error);
    FTL_TRY(make_packer(scratch, p, error));
    FTL_TRY(pack(plan, scratch, p, out, walks, &fits, error));
    for (uint32_t t = 0; bases && !fits && t < n; t++)
        bases[t] = ftl_tree_lowest_row(nodes, t);
    out->wide |= !fits;
    if (!fits)
        FTL_TRY(pack(plan, scratch, p, out, walks, &fits, error));
    out->set_start = nodes->n_sets ? nodes->set_start : NULL;
    out->set_words = nodes->n_sets ? nodes->set_words : NULL;
    if (nodes->n_sets) {
        ftl_blob_borrow(blob, &out->set_words, nodes->set_start[nodes->n_sets], sizeof(uint32_t));
        ftl_blob_borrow(blob, &out->set_start, (size_t)nodes->n_sets + 1, sizeof(uint32_t));
    }
    for (uint32_t t = 0; t < n; t++) {
        walks[t].set_start = out->set_start;
        walks[t].set_words = out->set_words;
    }
    out->walks = walks;
    ftl_blob_ref(blob, &out->walks);
    ftl_blob_ref(blob, &out->used);
    ftl_blob_ref_each(blob, &walks[0].nodes, n, sizeof *walks);
    ftl_blob_ref_each(blob, &walks[0].kinds, n, sizeof *walks);
    ftl_blob_ref_each(blob, &walks[0].set_start, n, sizeof *walks);
    ftl_blob_ref_each(blob, &walks[0].set_words, n, sizeof *walks);
    return FTL_OK;
}

/* The leaves' values, as they are added. */
static ftl_status keep_values(ftl_plan *plan, const packer *p, ftl_tree_layout *out,
                              ftl_error *error)
{
    const ftl_tree_nodes *nodes = p->nodes;
    size_t n = (size_t)nodes->n_values * nodes->value_width;
    if (!p->sums)
        return FTL_OK;
    if (!p->sums->sum_f32 || p->sums->linear) {
        out->values = nodes->values;
        ftl_blob_borrow(&plan->blob, &out->values, n, sizeof *out->values);
        return FTL_OK;
    }
    float *values = ftl_blob_data(&plan->blob, n, sizeof *values);
    if (!values)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++)
        values[i] = (float)nodes->values[i];
    out->values_f32 = values;
    ftl_blob_ref(&plan->blob, &out->values_f32);
    return FTL_OK;
}

static ftl_status layout_make(ftl_plan *plan, ftl_arena *scratch, packer *p, ftl_tree_layout *out,
                              ftl_error *error)
{
    FTL_TRY(pack_walks(plan, scratch, p, out, error));
    FTL_TRY(keep_values(plan, p, out, error));
    FTL_TRY(make_cuts(plan, p, out, error));
    ftl_blob_ref(&plan->blob, &out->cuts);
    ftl_blob_ref(&plan->blob, &out->masks);
    return FTL_OK;
}

ftl_status ftl_tree_layout_make(ftl_plan *plan, const ftl_tree_request *request,
                                ftl_tree_layout *out, ftl_error *error)
{
    const ftl_tree_nodes *nodes = request->nodes;
    out->wide = request->input == FTL_TREE_INPUT_F64;
    out->narrow_first = request->input == FTL_TREE_INPUT_F32 && !request->source->is_f32;
    out->source_f32 = request->source->is_f32;
    out->n_columns = request->source->op->width;
    out->n_trees = nodes->n_trees;
    for (uint32_t i = 0; i < nodes->n_nodes && !out->categorical; i++)
        out->categorical = (nodes->flags[i] & (FTL_NODE_CATEGORICAL | FTL_NODE_ZERO_MISSING)) != 0;
    out->wide |= out->categorical;
    packer p = {.nodes = nodes, .payload = request->payload, .sums = request->sums};
    ftl_arena scratch;
    ftl_arena_init(&scratch, &plan->account);
    ftl_status status = layout_make(plan, &scratch, &p, out, error);
    ftl_arena_free(&scratch);
    if (status != FTL_OK)
        return status;
    out->block = out->cuts ? cut_block(out->cuts) : choose_block(out, nodes);
    place_room(out);
    return FTL_OK;
}

/* ---- Sharing --------------------------------------------------------------------------------- */

struct ftl_shared_trees {
    struct ftl_shared_trees *next;
    ftl_tree_request request;
    const ftl_tree_layout *layout;
};

static bool same_sums(const ftl_trees_op *a, const ftl_trees_op *b)
{
    if (!a || !b)
        return a == b;
    return a->sum_f32 == b->sum_f32 && !a->linear == !b->linear;
}

static bool same_request(const ftl_tree_request *a, const ftl_tree_request *b)
{
    return a->nodes == b->nodes && a->input == b->input && a->payload == b->payload &&
           a->source->is_f32 == b->source->is_f32 && a->source->op->width == b->source->op->width &&
           same_sums(a->sums, b->sums);
}

ftl_status ftl_tree_layout_share(ftl_plan *plan, const ftl_tree_request *request,
                                 const ftl_tree_layout **out, ftl_error *error)
{
    struct ftl_shared_trees *shared = plan->shared_trees;
    while (shared && !same_request(&shared->request, request))
        shared = shared->next;
    if (shared) {
        *out = shared->layout;
        return FTL_OK;
    }
    ftl_tree_layout *layout = ftl_blob_state(&plan->blob, 1, sizeof *layout);
    shared = FTL_ARENA_NEW(&plan->scratch, struct ftl_shared_trees);
    if (!layout || !shared)
        return FTL_OOM(error);
    FTL_TRY(ftl_tree_layout_make(plan, request, layout, error));
    shared->next = plan->shared_trees;
    shared->request = *request;
    shared->layout = layout;
    plan->shared_trees = shared;
    *out = layout;
    return FTL_OK;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static void convert_f64(const ftl_tree_layout *l, const ftl_kernels *kernels, const double *from,
                        uint32_t n, void *room)
{
    float *narrow = room;
    double *wide = room;
    if (!l->wide && l->n_used == l->n_columns) {
        kernels->trees.narrow(from, (size_t)n * l->n_columns, narrow);
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

/* Rows in the type that the kernels want; *stride in elements. */
static const void *convert_rows(const ftl_tree_layout *l, const ftl_kernels *kernels,
                                const void *source, size_t first, uint32_t n, void *room,
                                size_t *stride)
{
    size_t skip = first * l->n_columns;
    *stride = l->convert ? l->n_used : l->n_columns;
    if (!l->convert)
        return l->source_f32 ? (const void *)((const float *)source + skip)
                             : (const void *)((const double *)source + skip);
    if (l->source_f32)
        widen_f32(l, (const float *)source + skip, n, room);
    else
        convert_f64(l, kernels, (const double *)source + skip, n, room);
    return room;
}

/* Columns in the type that the kernels want: those of the source, or [n_used][n] in room. */
static ftl_cut_rows convert_columns(const ftl_tree_layout *l, const ftl_kernels *kernels,
                                    const ftl_tree_source *source, size_t first, uint32_t n,
                                    void *room)
{
    const float *from32 = (const float *)source->matrix + first;
    const double *from64 = (const double *)source->matrix + first;
    if (!l->convert)
        return (ftl_cut_rows){l->source_f32 ? (const void *)from32 : from64, 1,
                              source->column_stride};
    for (uint32_t j = 0; j < l->n_used; j++) {
        size_t column = l->used[j] * source->column_stride;
        float *narrow = (float *)room + (size_t)j * n;
        double *wide = (double *)room + (size_t)j * n;
        if (!l->wide)
            kernels->trees.narrow(from64 + column, n, narrow);
        for (uint32_t r = 0; l->wide && r < n; r++)
            wide[r] = l->source_f32 ? (double)from32[column + r]
                                    : (double)(float)from64[column + r];
    }
    return (ftl_cut_rows){room, 1, n};
}

static void code_rows(const ftl_tree_layout *l, const ftl_tree_source *source, uint32_t first,
                      uint32_t n, unsigned char *room, ftl_tree_rows *rows)
{
    const ftl_tree_cut_kernels *cuts = ftl_tree_cuts_kernels(l->cuts, rows->kernels);
    unsigned char *codes = room + l->room_fixed;
    rows->code_stride = padded_rows(n) * ftl_tree_cuts_size(l->cuts);
    rows->codes = codes;
    rows->numbers = codes + l->cuts->n_columns * rows->code_stride;
    for (uint32_t at = 0; at < n; at += FTL_TREE_CODE_ROWS) {
        uint32_t some = n - at < FTL_TREE_CODE_ROWS ? n - at : FTL_TREE_CODE_ROWS;
        ftl_cut_rows x = {.column_stride = 1};
        if (source->column_stride)
            x = convert_columns(l, rows->kernels, source, (size_t)first + at, some, room);
        else
            x.x = convert_rows(l, rows->kernels, source->matrix, (size_t)first + at, some, room,
                               &x.row_stride);
        ftl_tree_cuts_code(l->cuts, cuts, &x, some, at, codes, rows->code_stride);
    }
}

ftl_tree_rows ftl_tree_rows_make(const ftl_tree_layout *l, const ftl_kernels *kernels,
                                 const ftl_tree_source *source, uint32_t first, uint32_t n,
                                 void *room)
{
    ftl_tree_rows rows = {.kernels = kernels, .n = n};
    if (l->cuts && (n >= least_cut_rows || source->column_stride)) {
        code_rows(l, source, first, n, room, &rows);
        return rows;
    }
    rows.x = convert_rows(l, kernels, source->matrix, first, n, room, &rows.stride);
    rows.nan = l->wide ? kernels->trees.any_nan_f64(rows.x, n * rows.stride)
                       : kernels->trees.any_nan_f32(rows.x, n * rows.stride);
    return rows;
}

/* The leaves of rows->n rows, from left to right, in rows->numbers. */
static void cut_rows(const ftl_tree_layout *l, uint32_t tree, const ftl_tree_rows *rows)
{
    uint32_t padded = (rows->n + FTL_TREE_CODE_ROWS - 1) / FTL_TREE_CODE_ROWS * FTL_TREE_CODE_ROWS;
    ftl_tree_cuts_kernels(l->cuts, rows->kernels)
        ->cut(&l->cuts->trees[tree].cuts, rows->codes, rows->code_stride, padded, rows->numbers);
}

static void walk_codes(const ftl_tree_layout *l, uint32_t tree, const ftl_tree_rows *rows,
                       uint32_t *leaf)
{
    const uint32_t *numbers = l->cuts->trees[tree].numbers;
    const uint8_t *one = rows->numbers;
    const uint16_t *two = rows->numbers;
    cut_rows(l, tree, rows);
    for (uint32_t r = 0; r < rows->n; r++)
        leaf[r] = numbers[l->cuts->two_bytes ? two[r] : one[r]];
}

bool ftl_tree_rows_add(const ftl_tree_layout *l, uint32_t tree, const ftl_tree_rows *rows,
                       void *sum, uint32_t output, size_t width)
{
    if (!rows->codes || !l->cuts->trees[tree].values)
        return false;
    const void *values = l->cuts->trees[tree].values;
    const ftl_tree_cut_kernels *kernels = ftl_tree_cuts_kernels(l->cuts, rows->kernels);
    cut_rows(l, tree, rows);
    if (l->cuts->values_f32)
        kernels->add_f32(values, rows->numbers, rows->n, (float *)sum + output, width);
    else
        kernels->add(values, rows->numbers, rows->n, (double *)sum + output, width);
    return true;
}

void ftl_tree_rows_walk(const ftl_tree_layout *l, uint32_t tree, const ftl_tree_rows *rows,
                        uint32_t *leaf)
{
    const ftl_tree_kernels *k = &rows->kernels->trees;
    if (rows->codes) {
        walk_codes(l, tree, rows, leaf);
    } else if (l->wide) {
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
    return !rows->codes && !rows->nan && !l->categorical;
}

void ftl_tree_row_start(const ftl_tree_layout *l, const ftl_tree_rows *rows, uint32_t row,
                        ftl_tree_row *out)
{
    size_t at = row * rows->stride;
    out->x = l->wide ? (const void *)((const double *)rows->x + at)
                     : (const void *)((const float *)rows->x + at);
    out->coded = l->masks && rows->kernels->trees.row_masks;
    if (out->coded)
        ftl_tree_masks_code(l->masks, out->x, out->codes);
}

void ftl_tree_row_leaves(const ftl_tree_layout *l, const ftl_kernels *kernels,
                         const ftl_tree_row *row, uint32_t first_tree, uint32_t n_trees,
                         uint32_t *leaf)
{
    const ftl_tree_walk *walks = l->walks + first_tree;
    if (row->coded) {
        kernels->trees.row_masks(l->masks->trees + first_tree, n_trees, row->codes, leaf);
        for (uint32_t t = 0; t < n_trees; t++)
            leaf[t] = l->cuts->trees[first_tree + t].numbers[leaf[t]];
    } else if (l->wide) {
        kernels->trees.row_f64(walks, n_trees, row->x, leaf);
    } else {
        kernels->trees.row_f32(walks, n_trees, row->x, leaf);
    }
}

/* The first output stays in a register where it is the only one. */
#define ADD_ROW(name, type)                                                       \
    static void name(const ftl_cut_tree *trees, uint32_t n, const uint32_t *leaf, \
                     const uint32_t *target, type *sum)                           \
    {                                                                             \
        type total = sum[0];                                                      \
        for (uint32_t t = 0; !target && t < n; t++)                               \
            total += ((const type *)trees[t].values)[leaf[t]];                    \
        sum[0] = total;                                                           \
        for (uint32_t t = 0; target && t < n; t++)                                \
            sum[target[t]] += ((const type *)trees[t].values)[leaf[t]];           \
    }
ADD_ROW(add_row_f64, double)
ADD_ROW(add_row_f32, float)

bool ftl_tree_row_add(const ftl_tree_layout *l, const ftl_kernels *kernels, const ftl_tree_row *row,
                      uint32_t first_tree, uint32_t n_trees, uint32_t *leaf, const uint32_t *target,
                      void *sum)
{
    if (!row->coded || !l->cuts->trees[0].values)
        return false;
    const ftl_cut_tree *trees = l->cuts->trees + first_tree;
    kernels->trees.row_masks(l->masks->trees + first_tree, n_trees, row->codes, leaf);
    if (l->cuts->values_f32)
        add_row_f32(trees, n_trees, leaf, target, sum);
    else
        add_row_f64(trees, n_trees, leaf, target, sum);
    return true;
}
