/* Bytes for the machine: a window on the stream's buffer, and blocks whose declared size is not
 * trusted. */
#include "pickle/vm.h"

enum { FIRST_BLOCK = 1 << 20 };

void ftl_vm_sync(ftl_vm *vm)
{
    if (vm->at != vm->start) {
        ftl_stream_consume(vm->stream, (size_t)(vm->at - vm->start));
        vm->load->consumed += (uint64_t)(vm->at - vm->start);
        ftl_budget_read(vm->load->budget, vm->load->consumed);
    }
    vm->start = vm->at = vm->end = NULL;
    vm->base = ftl_stream_offset(vm->stream);
}

static ftl_status truncated(ftl_vm *vm, uint64_t end)
{
    return FTL_FAIL_AT(vm->error, FTL_CORRUPT, end,
                       "the file ends in the middle of a value: it is cut off, copy it again");
}

ftl_status ftl_vm_need(ftl_vm *vm, size_t n)
{
    if ((size_t)(vm->end - vm->at) >= n)
        return FTL_OK;
    ftl_vm_sync(vm);
    size_t available = 0;
    FTL_TRY(ftl_stream_ahead(vm->stream, n, &vm->start, &available, vm->error));
    vm->at = vm->start;
    vm->end = available ? vm->start + available : vm->start;
    return available >= n ? FTL_OK : truncated(vm, vm->base + available);
}

ftl_status ftl_vm_u8(ftl_vm *vm, uint8_t *out)
{
    FTL_TRY(ftl_vm_need(vm, 1));
    *out = *vm->at++;
    return FTL_OK;
}

ftl_status ftl_vm_le(ftl_vm *vm, size_t width, uint64_t *out)
{
    FTL_TRY(ftl_vm_need(vm, width));
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value |= (uint64_t)vm->at[i] << (8 * i);
    vm->at += width;
    *out = value;
    return FTL_OK;
}

ftl_status ftl_vm_line(ftl_vm *vm, const uint8_t **data, size_t *size)
{
    size_t held = 0;
    for (;;) {
        FTL_TRY(ftl_vm_need(vm, 1));
        size_t visible = (size_t)(vm->end - vm->at);
        const uint8_t *newline = memchr(vm->at, '\n', visible);
        size_t take = newline ? (size_t)(newline - vm->at) : visible;
        if (newline && held == 0) { /* the usual case: no copy */
            *data = vm->at;
            *size = take;
            vm->at += take + 1;
            return FTL_OK;
        }
        size_t needed;
        if (!ftl_add_size(held, take, &needed))
            return FTL_OOM(vm->error);
        FTL_TRY(ftl_grow(vm->load->account, &vm->line, &vm->line_room, needed, 1, vm->error));
        memcpy(vm->line + held, vm->at, take);
        held += take;
        vm->at += take + (newline ? 1 : 0);
        if (newline) {
            *data = vm->line;
            *size = held;
            return FTL_OK;
        }
    }
}

ftl_status ftl_vm_read(ftl_vm *vm, void *out, size_t size)
{
    size_t visible = (size_t)(vm->end - vm->at);
    if (size <= visible) {
        if (size) { /* vm->at is NULL before the first read, which memcpy must not be given */
            memcpy(out, vm->at, size);
            vm->at += size;
        }
        return FTL_OK;
    }
    ftl_vm_sync(vm);
    FTL_TRY(ftl_stream_read(vm->stream, out, size, vm->error));
    vm->load->consumed += size;
    ftl_budget_read(vm->load->budget, vm->load->consumed);
    vm->base = ftl_stream_offset(vm->stream);
    return FTL_OK;
}

ftl_status ftl_vm_blob(ftl_vm *vm, uint64_t size, uint8_t **out)
{
    if (size > SIZE_MAX / 4)
        return FTL_VM_FAIL(vm, FTL_CORRUPT, "a value claims %llu bytes, which no file has",
                           (unsigned long long)size);
    size_t n = (size_t)size, done = 0;
    uint8_t *block = NULL;
    if (n <= FIRST_BLOCK) {
        block = n < FTL_VM_WIDE ? ftl_arena_alloc(vm->arena, n + 1)
                                : ftl_arena_alloc_aligned(vm->arena, n + 1);
        if (!block)
            return FTL_OOM(vm->error);
        FTL_TRY(ftl_vm_read(vm, block, n));
    }
    for (size_t room = FIRST_BLOCK; done < n && n > FIRST_BLOCK; room *= 2) {
        room = room < n ? room : n;
        uint8_t *bigger = ftl_arena_resize(vm->arena, block, done, room + 1);
        if (!bigger)
            return FTL_OOM(vm->error);
        block = bigger;
        FTL_TRY(ftl_vm_read(vm, block + done, room - done));
        done = room;
    }
    block[n] = 0;
    *out = block;
    return FTL_OK;
}
