/* The machine's stack, marks and memo, and the making of nodes under the budgets. */
#include "pickle/vm.h"

enum { MEMO_SLACK = 65536 /* memo indices that any file may use, however short */ };

static ftl_status too_many(ftl_vm *vm)
{
    return FTL_VM_FAIL(vm, FTL_LIMIT, "the pickle holds more than %llu objects",
                       (unsigned long long)vm->load->max_objects);
}

ftl_status ftl_vm_push(ftl_vm *vm, ftl_node *node)
{
    if (vm->size == vm->stack_room) {
        /* Shared nodes (None, memo entries) make no object, but each push takes memory. */
        if (vm->size >= vm->load->max_objects)
            return too_many(vm);
        FTL_TRY(ftl_grow(vm->load->account, &vm->stack, &vm->stack_room, vm->size + 1,
                         sizeof *vm->stack, vm->error));
    }
    vm->stack[vm->size++] = node;
    return FTL_OK;
}

static ftl_status underflow(ftl_vm *vm)
{
    return FTL_VM_FAIL(vm, FTL_CORRUPT,
                       "the pickle takes a value from an empty stack: the file is damaged");
}

ftl_status ftl_vm_pop(ftl_vm *vm, ftl_node **out)
{
    if (vm->size <= vm->fence)
        return underflow(vm);
    *out = vm->stack[--vm->size];
    return FTL_OK;
}

ftl_status ftl_vm_top(ftl_vm *vm, ftl_node **out)
{
    if (vm->size <= vm->fence)
        return underflow(vm);
    *out = vm->stack[vm->size - 1];
    return FTL_OK;
}

ftl_status ftl_vm_mark(ftl_vm *vm)
{
    if (vm->n_marks >= vm->load->max_depth)
        return FTL_VM_FAIL(vm, FTL_LIMIT, "objects nest deeper than %u levels",
                           vm->load->max_depth);
    /* The stack exists from here on, so that an empty run of items has an address. */
    FTL_TRY(ftl_grow(vm->load->account, &vm->stack, &vm->stack_room, vm->size + 1,
                     sizeof *vm->stack, vm->error));
    FTL_TRY(ftl_grow(vm->load->account, &vm->marks, &vm->marks_room, vm->n_marks + 1,
                     sizeof *vm->marks, vm->error));
    vm->marks[vm->n_marks++] = vm->fence = vm->size;
    return FTL_OK;
}

ftl_status ftl_vm_pop_mark(ftl_vm *vm, ftl_node ***items, size_t *count)
{
    if (vm->n_marks == 0)
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "the pickle closes a mark that it never set: the file is damaged");
    size_t mark = vm->marks[--vm->n_marks];
    vm->fence = vm->n_marks ? vm->marks[vm->n_marks - 1] : 0;
    *items = vm->stack + mark;
    *count = vm->size - mark;
    vm->size = mark;
    return FTL_OK;
}

ftl_status ftl_vm_memo_put(ftl_vm *vm, uint64_t index)
{
    ftl_node *node;
    FTL_TRY(ftl_vm_top(vm, &node));
    if (index >=
        MEMO_SLACK +
            ftl_vm_offset(
                vm)) /* picklers number objects one by one, so an index is below the offset */
        return FTL_VM_FAIL(vm, FTL_LIMIT, "memo index %llu is larger than the file can need",
                           (unsigned long long)index);
    if (index >= vm->load->max_objects)
        return too_many(vm);
    size_t old = vm->memo_room;
    FTL_TRY(ftl_grow(vm->load->account, &vm->memo, &vm->memo_room, (size_t)index + 1,
                     sizeof *vm->memo, vm->error));
    if (vm->memo_room > old)
        memset(vm->memo + old, 0, (vm->memo_room - old) * sizeof *vm->memo);
    vm->memo_count += vm->memo[index] == NULL;
    vm->memo[index] = node;
    return FTL_OK;
}

ftl_status ftl_vm_memo_get(ftl_vm *vm, uint64_t index)
{
    if (index >= vm->memo_room || !vm->memo[index])
        return FTL_VM_FAIL(vm, FTL_CORRUPT, "memo entry %llu was never stored: the file is damaged",
                           (unsigned long long)index);
    return ftl_vm_push(vm, vm->memo[index]);
}

ftl_status ftl_vm_new(ftl_vm *vm, ftl_node_kind kind, ftl_node **out)
{
    if (vm->load->report.objects >= vm->load->max_objects)
        return too_many(vm);
    ftl_node *node = FTL_ARENA_NEW(vm->arena, ftl_node);
    if (!node)
        return FTL_OOM(vm->error);
    vm->load->report.objects++;
    node->kind = kind;
    *out = node;
    return FTL_OK;
}

ftl_status ftl_vm_new_text(ftl_vm *vm, ftl_node_kind kind, const void *data, size_t size,
                           ftl_node **out)
{
    ftl_node *node;
    FTL_TRY(ftl_vm_new(vm, kind, &node));
    char *copy = ftl_arena_string(vm->arena, data, size);
    if (!copy)
        return FTL_OOM(vm->error);
    node->u.str = (ftl_node_string){copy, size};
    *out = node;
    return FTL_OK;
}

/* Values that never change are made once. */
static ftl_status shared(ftl_vm *vm, ftl_node **slot, ftl_node_kind kind, ftl_node **out)
{
    if (!*slot) {
        ftl_node *node;
        FTL_TRY(ftl_vm_new(vm, kind, &node));
        *slot = node;
    }
    *out = *slot;
    return FTL_OK;
}

ftl_status ftl_vm_new_none(ftl_vm *vm, ftl_node **out)
{
    return shared(vm, &vm->load->constants[0], FTL_NODE_NONE, out);
}

ftl_status ftl_vm_new_bool(ftl_vm *vm, bool value, ftl_node **out)
{
    ftl_node *node;
    FTL_TRY(shared(vm, &vm->load->constants[value ? 2 : 1], FTL_NODE_BOOL, &node));
    node->u.boolean = value;
    *out = node;
    return FTL_OK;
}

ftl_status ftl_vm_new_int(ftl_vm *vm, int64_t value, ftl_node **out)
{
    ftl_node *node;
    if (value >= 0 && value < (int64_t)FTL_ARRAY_LEN(vm->load->small_ints))
        FTL_TRY(shared(vm, &vm->load->small_ints[value], FTL_NODE_INT, &node));
    else
        FTL_TRY(ftl_vm_new(vm, FTL_NODE_INT, &node));
    node->u.integer = value;
    *out = node;
    return FTL_OK;
}

ftl_status ftl_vm_new_tuple(ftl_vm *vm, ftl_node *const *items, size_t count, ftl_node **out)
{
    ftl_node *node;
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_TUPLE, &node));
    FTL_TRY(ftl_vm_extend(vm, &node->u.seq, items, count));
    *out = node;
    return FTL_OK;
}

ftl_status ftl_vm_new_object(ftl_vm *vm, const char *module, const char *name, ftl_node *args,
                             ftl_node **out)
{
    ftl_node *node;
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_OBJECT, &node));
    ftl_node_object *object = FTL_ARENA_NEW(vm->arena, ftl_node_object);
    if (!object)
        return FTL_OOM(vm->error);
    object->module = module;
    object->name = name;
    object->args = args;
    object->offset = (size_t)vm->op_offset;
    node->u.object = object;
    *out = node;
    return FTL_OK;
}

/* Room for `more` items beyond size; the first allocation is exact, later ones double. */
static bool grown_room(size_t size, size_t room, size_t more, size_t *out)
{
    size_t needed;
    if (!ftl_add_size(size, more, &needed))
        return false;
    *out = room == 0 || needed > room * 2 ? needed : room * 2;
    return true;
}

static ftl_node **grow_items(ftl_arena *arena, ftl_node **items, size_t size, size_t room)
{
    ftl_node **bigger = ftl_arena_array(arena, room, sizeof *bigger);
    if (bigger && size)
        memcpy(bigger, items, size * sizeof *bigger);
    return bigger;
}

ftl_status ftl_vm_extend(ftl_vm *vm, ftl_node_sequence *sequence, ftl_node *const *items,
                         size_t count)
{
    if (count == 0)
        return FTL_OK;
    if (sequence->room - sequence->size < count) {
        size_t room = 0;
        ftl_node **bigger = grown_room(sequence->size, sequence->room, count, &room)
                                ? grow_items(vm->arena, sequence->items, sequence->size, room)
                                : NULL;
        if (!bigger)
            return FTL_OOM(vm->error);
        sequence->items = bigger;
        sequence->room = room;
    }
    memcpy(sequence->items + sequence->size, items, count * sizeof *items);
    sequence->size += count;
    return FTL_OK;
}

ftl_status ftl_vm_insert(ftl_vm *vm, ftl_node_dict *dict, ftl_node *const *items, size_t count)
{
    size_t pairs = count / 2;
    if (count % 2)
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "a dict gets a key without a value: the file is damaged");
    if (pairs == 0)
        return FTL_OK;
    if (dict->room - dict->size < pairs) {
        size_t room = 0;
        bool fits = grown_room(dict->size, dict->room, pairs, &room);
        ftl_node **keys = fits ? grow_items(vm->arena, dict->keys, dict->size, room) : NULL;
        ftl_node **values = keys ? grow_items(vm->arena, dict->values, dict->size, room) : NULL;
        if (!values)
            return FTL_OOM(vm->error);
        dict->keys = keys;
        dict->values = values;
        dict->room = room;
    }
    if (dict->size < 2 && dict->size + pairs >= 2) {
        ftl_pk_load *load = vm->load;
        FTL_TRY(ftl_grow(load->account, &load->dicts, &load->dicts_room, load->n_dicts + 1,
                         sizeof *load->dicts, vm->error));
        load->dicts[load->n_dicts++] = dict;
    }
    for (size_t i = 0; i < pairs; i++) {
        dict->keys[dict->size + i] = items[2 * i];
        dict->values[dict->size + i] = items[2 * i + 1];
    }
    dict->size += pairs;
    return FTL_OK;
}

ftl_status ftl_vm_spend(ftl_vm *vm, uint64_t amount)
{
    ftl_budget_read(vm->load->budget, vm->load->consumed + (uint64_t)(vm->at - vm->start));
    if (!ftl_budget_work(vm->load->budget, amount))
        return FTL_VM_FAIL(vm, FTL_LIMIT,
                           "the pickle blows up: it uses the same bytes over and over");
    return FTL_OK;
}

static size_t dict_size(const ftl_node *node)
{
    return node->kind == FTL_NODE_DICT ? node->u.dict.size : 0;
}

ftl_status ftl_vm_spend_attributes(ftl_vm *vm, const ftl_node *object, unsigned n)
{
    const ftl_node *state = object->u.object->state;
    size_t size = state ? dict_size(state) : 0;
    if (state && state->kind == FTL_NODE_TUPLE && state->u.seq.size == 2)
        size = dict_size(state->u.seq.items[0]) + dict_size(state->u.seq.items[1]);
    return ftl_vm_spend(vm, 4 * (uint64_t)n * size);
}
