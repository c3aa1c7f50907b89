/*
 * Blobs as bytes: a header, the fields that hold pointers, the state, the data. A pointer is stored
 * as its target's offset from the start of the state, plus 1; NULL as 0. The data follow the state,
 * so one number tells a target in either.
 */
#include "plan/blob.h"

#include "base/checked.h"
#include "base/cityhash.h"
#include "base/cpu.h"

#include <string.h>

enum {
    format = 1, /* to be raised when a record of some operation changes */
    block = 64, /* every part begins at a multiple of it */
    state_alignment = 16,
    version_size = 32
};

typedef struct header {
    char magic[8];
    uint32_t format;
    uint32_t shape; /* of pointers and numbers on this machine */
    char version[version_size];
    uint32_t needs;
    uint32_t unused;
    uint64_t sum; /* over all bytes, this being 0 */
    uint64_t n_refs, state_size, data_size;
    uint64_t padding[5];
} header;
_Static_assert(sizeof(header) % block == 0, "the fields begin at a whole block");

typedef struct ref_record {
    uint64_t field; /* offset in the state */
    uint32_t count, stride;
} ref_record;

static const char magic[8] = "FTLPLAN";

/* Pieces that overlap in memory are one run: a model's arrays may be parts of a larger one. */
typedef struct run {
    const unsigned char *base;
    size_t size, offset;
    bool state, placed;
} run;

typedef struct writer {
    const ftl_blob *blob;
    ftl_account *account;
    uint32_t *order;  /* [n_pieces] numbers, by address */
    uint32_t *run_of; /* [n_pieces] */
    run *runs;        /* [n_runs], by address */
    size_t n_runs, n_refs;
    size_t state_size, data_size;
    unsigned char *state; /* in the bytes */
} writer;

static uint32_t machine_shape(void)
{
    const uint32_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return (uint32_t)sizeof(void *) << 8 | (uint32_t)sizeof(size_t) << 16 | first;
}

static uint64_t sum_of(const header *h, const unsigned char *bytes, size_t size)
{
    header own = *h;
    own.sum = 0;
    uint64_t both[2] = {ftl_cityhash64((const char *)&own, sizeof own),
                        ftl_cityhash64((const char *)bytes + sizeof own, size - sizeof own)};
    return ftl_cityhash64((const char *)both, sizeof both);
}

static bool round_up(size_t *size, size_t to)
{
    bool fits = ftl_add_size(*size, to - 1, size);
    *size = *size / to * to;
    return fits;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* By address, larger ones first. */
static bool before(const writer *w, uint32_t a, uint32_t b)
{
    const ftl_blob_piece *x = &w->blob->pieces[a], *y = &w->blob->pieces[b];
    uintptr_t from = (uintptr_t)x->base, other = (uintptr_t)y->base;
    if (from != other)
        return from < other;
    return x->size != y->size ? x->size > y->size : a < b;
}

static void sift(const writer *w, size_t at, size_t n)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(w, w->order[child], w->order[child + 1]))
            child++;
        if (!before(w, w->order[at], w->order[child]))
            return;
        uint32_t lower = w->order[at];
        w->order[at] = w->order[child];
        w->order[child] = lower;
    }
}

static void sort_pieces(const writer *w)
{
    size_t n = w->blob->n_pieces;
    for (size_t i = 0; i < n; i++)
        w->order[i] = (uint32_t)i;
    for (size_t i = n / 2; i-- > 0;)
        sift(w, i, n);
    for (size_t end = n; end-- > 1;) {
        uint32_t largest = w->order[0];
        w->order[0] = w->order[end];
        w->order[end] = largest;
        sift(w, 0, end);
    }
}

static void make_runs(writer *w)
{
    for (size_t i = 0; i < w->blob->n_pieces; i++) {
        const ftl_blob_piece *piece = &w->blob->pieces[w->order[i]];
        const unsigned char *base = piece->base;
        run *last = w->n_runs ? &w->runs[w->n_runs - 1] : NULL;
        if (!last || base >= last->base + last->size || piece->state || last->state) {
            w->runs[w->n_runs++] = (run){.base = base, .size = piece->size, .state = piece->state};
        } else if (base + piece->size > last->base + last->size) {
            last->size = (size_t)(base + piece->size - last->base);
        }
        w->run_of[w->order[i]] = (uint32_t)(w->n_runs - 1);
    }
}

/* In the order in which pieces were made, which does not depend on where they lie. */
static bool place_runs(writer *w)
{
    bool fits = true;
    for (size_t i = 0; i < w->blob->n_pieces; i++) {
        run *at = &w->runs[w->run_of[i]];
        size_t *end = at->state ? &w->state_size : &w->data_size;
        if (at->placed)
            continue;
        at->placed = true;
        fits = fits && round_up(end, at->state ? state_alignment : block);
        at->offset = *end;
        fits = fits && ftl_add_size(*end, at->size, end);
    }
    fits = fits && round_up(&w->state_size, block);
    for (size_t i = 0; i < w->n_runs; i++) {
        if (!w->runs[i].state)
            w->runs[i].offset += w->state_size;
    }
    return fits;
}

/* Where an address is among the offsets; its run may end there. */
static bool find_offset(const writer *w, const unsigned char *address, size_t *out, bool *state)
{
    size_t low = 0, high = w->n_runs;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if ((uintptr_t)w->runs[middle].base <= (uintptr_t)address)
            low = middle;
        else
            high = middle;
    }
    const run *at = &w->runs[low];
    uintptr_t base = (uintptr_t)at->base, place = (uintptr_t)address;
    if (w->n_runs == 0 || place < base || place - base > at->size)
        return false;
    *out = at->offset + (place - base);
    *state = at->state;
    return true;
}

/* Puts the offsets of one record's targets into the state's bytes. */
static bool write_ref(const writer *w, const ftl_blob_refs *refs, ref_record *record)
{
    for (uint32_t i = 0; i < refs->count; i++) {
        const unsigned char *field = (const unsigned char *)refs->field + (size_t)i * refs->stride;
        const unsigned char *target;
        size_t at, to = 0;
        bool state, any;
        if (!find_offset(w, field, &at, &state) || !state)
            return false;
        memcpy(&target, field, sizeof target);
        if (target && !find_offset(w, target, &to, &any))
            return false;
        uint64_t value = target ? (uint64_t)to + 1 : 0;
        memcpy(w->state + at, &value, sizeof value);
        if (i == 0)
            *record = (ref_record){at, refs->count, refs->stride};
    }
    return true;
}

static ftl_status write_bytes(writer *w, uint32_t needs, unsigned char **out, size_t *size,
                              ftl_error *error)
{
    const ftl_blob *blob = w->blob;
    size_t refs_size = blob->n_refs * sizeof(ref_record), total = sizeof(header);
    if (!round_up(&refs_size, block) || !ftl_add_size(total, refs_size, &total) ||
        !ftl_add_size(total, w->state_size, &total) || !ftl_add_size(total, w->data_size, &total))
        return FTL_OOM(error);
    unsigned char *bytes = ftl_alloc_zero(w->account, 1, total);
    if (!bytes)
        return FTL_OOM(error);
    header h = {.format = format,
                .shape = machine_shape(),
                .needs = needs,
                .n_refs = blob->n_refs,
                .state_size = w->state_size,
                .data_size = w->data_size};
    memcpy(h.magic, magic, sizeof h.magic);
    _Static_assert(sizeof FTL_VERSION_STRING <= version_size, "a version has its place");
    memcpy(h.version, FTL_VERSION_STRING, sizeof FTL_VERSION_STRING);
    w->state = bytes + sizeof h + refs_size;
    for (size_t i = 0; i < w->n_runs; i++) {
        if (w->runs[i].size)
            memcpy(w->state + w->runs[i].offset, w->runs[i].base, w->runs[i].size);
    }
    for (size_t i = 0; i < blob->n_refs; i++) {
        ref_record record;
        if (!write_ref(w, &blob->refs[i], &record)) {
            ftl_free(w->account, bytes);
            return FTL_FAIL(error, FTL_INTERNAL, "a compiled plan points to what is no part of it");
        }
        memcpy(bytes + sizeof h + i * sizeof record, &record, sizeof record);
    }
    h.sum = sum_of(&h, bytes, total);
    memcpy(bytes, &h, sizeof h);
    *out = bytes;
    *size = total;
    return FTL_OK;
}

ftl_status ftl_blob_write(const ftl_blob *blob, ftl_account *account, uint32_t needs,
                          unsigned char **out, size_t *size, ftl_error *error)
{
    size_t n = blob->n_pieces;
    ftl_arena scratch;
    ftl_arena_init(&scratch, account);
    writer w = {.blob = blob,
                .account = account,
                .order = ftl_arena_array(&scratch, n, sizeof *w.order),
                .run_of = ftl_arena_array(&scratch, n, sizeof *w.run_of),
                .runs = ftl_arena_array(&scratch, n, sizeof *w.runs)};
    ftl_status status = FTL_OK;
    if (!w.order || !w.run_of || !w.runs) {
        status = FTL_OOM(error);
    } else {
        sort_pieces(&w);
        make_runs(&w);
        if (place_runs(&w))
            status = write_bytes(&w, needs, out, size, error);
        else
            status = FTL_OOM(error);
    }
    ftl_arena_free(&scratch);
    return status;
}

/* ---- Opening --------------------------------------------------------------------------------- */

static ftl_status check_header(const unsigned char *bytes, size_t size, header *h, ftl_error *error)
{
    if ((uintptr_t)bytes % block)
        return FTL_FAIL(error, FTL_ARG, "a compiled plan begins at a multiple of 64 bytes");
    if (size < sizeof *h || memcmp(bytes, magic, sizeof magic) != 0)
        return FTL_FAIL(error, FTL_CORRUPT, "these bytes are no compiled plan");
    memcpy(h, bytes, sizeof *h);
    if (h->format != format || h->shape != machine_shape() ||
        strncmp(h->version, FTL_VERSION_STRING, version_size) != 0)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "the plan was compiled by another version or for another kind of machine");
    if (h->needs & ~ftl_cpu_flags())
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "the plan was compiled for a processor with more instructions");
    uint64_t total = sizeof *h, refs_size;
    bool fits = h->n_refs <= size && h->state_size <= size && h->data_size <= size &&
                h->state_size > 0 && h->state_size % block == 0;
    refs_size = (h->n_refs * sizeof(ref_record) + block - 1) / block * block;
    if (!fits || !ftl_add_u64(total, refs_size, &total) ||
        !ftl_add_u64(total, h->state_size, &total) || !ftl_add_u64(total, h->data_size, &total) ||
        total != size)
        return FTL_FAIL(error, FTL_CORRUPT, "the compiled plan is cut off or longer than it says");
    if (sum_of(h, bytes, size) != h->sum)
        return FTL_FAIL(error, FTL_CORRUPT, "the compiled plan is damaged: its sum is wrong");
    return FTL_OK;
}

static bool relocate(const header *h, const ref_record *record, unsigned char *state,
                     const unsigned char *data)
{
    const uint64_t last = h->state_size - sizeof(void *);
    for (uint64_t i = 0; i < record->count; i++) {
        uint64_t at, value;
        if (!ftl_add_u64(record->field, i * record->stride, &at) || at > last ||
            at % sizeof(void *))
            return false;
        memcpy(&value, state + at, sizeof value);
        const unsigned char *target = NULL;
        if (value > h->state_size + h->data_size + 1)
            return false;
        if (value > h->state_size)
            target = data + (value - 1 - h->state_size);
        else if (value)
            target = state + (value - 1);
        memcpy(state + at, &target, sizeof target);
    }
    return true;
}

ftl_status ftl_blob_open(const void *bytes, size_t size, ftl_account *account, ftl_blob_view *out,
                         ftl_error *error)
{
    header h;
    FTL_TRY(check_header(bytes, size, &h, error));
    const unsigned char *refs = (const unsigned char *)bytes + sizeof h;
    const unsigned char *data = (const unsigned char *)bytes + (size - h.data_size);
    unsigned char *state = ftl_alloc(account, h.state_size);
    if (!state)
        return FTL_OOM(error);
    memcpy(state, data - h.state_size, h.state_size);
    uint64_t n_fields = 0;
    for (uint64_t i = 0; i < h.n_refs; i++) {
        ref_record record;
        memcpy(&record, refs + i * sizeof record, sizeof record);
        n_fields += record.count;
        /* more fields than there are would let a short file ask for billions of turns */
        if (n_fields > h.state_size / sizeof(void *) || !relocate(&h, &record, state, data)) {
            ftl_free(account, state);
            return FTL_FAIL(error, FTL_CORRUPT, "the compiled plan points out of itself");
        }
    }
    *out = (ftl_blob_view){.root = state,
                           .state_size = h.state_size,
                           .data = data,
                           .data_size = h.data_size,
                           .needs = h.needs};
    return FTL_OK;
}

void ftl_blob_close(ftl_blob_view *view, ftl_account *account)
{
    ftl_free(account, view->root);
    *view = (ftl_blob_view){0};
}

static bool within(const void *part, size_t part_size, const void *pointer, size_t size,
                   size_t alignment)
{
    uintptr_t base = (uintptr_t)part, at = (uintptr_t)pointer;
    return at % alignment == 0 && at >= base && at - base <= part_size &&
           size <= part_size - (at - base);
}

bool ftl_blob_has_state(const ftl_blob_view *view, const void *pointer, size_t size,
                        size_t alignment)
{
    return within(view->root, view->state_size, pointer, size, alignment);
}

bool ftl_blob_has_data(const ftl_blob_view *view, const void *pointer, size_t size,
                       size_t alignment)
{
    return within(view->data, view->data_size, pointer, size, alignment);
}
