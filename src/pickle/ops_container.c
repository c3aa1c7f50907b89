/* Opcodes of tuples, lists, dicts, sets, of the stack itself and of the memo. */
#include "base/number.h"
#include "pickle/opcodes.h"
#include "pickle/vm.h"

static ftl_status op_mark(ftl_vm *vm) { return ftl_vm_mark(vm); }

static ftl_status op_pop_mark(ftl_vm *vm)
{
    ftl_node **items;
    size_t count;
    return ftl_vm_pop_mark(vm, &items, &count);
}

/* POP takes away a mark when nothing lies above it. */
static ftl_status op_pop(ftl_vm *vm)
{
    ftl_node *node;
    if (vm->n_marks && vm->size == vm->fence)
        return op_pop_mark(vm);
    return ftl_vm_pop(vm, &node);
}

static ftl_status op_dup(ftl_vm *vm)
{
    ftl_node *node;
    FTL_TRY(ftl_vm_top(vm, &node));
    return ftl_vm_push(vm, node);
}

static ftl_status op_stop(ftl_vm *vm)
{
    vm->stopped = true;
    return FTL_OK;
}

static ftl_status op_proto(ftl_vm *vm)
{
    uint8_t version;
    FTL_TRY(ftl_vm_u8(vm, &version));
    if (version > 5)
        return FTL_VM_FAIL(vm, FTL_UNSUPPORTED,
                           "pickle protocol %u is newer than 5, the newest that is read", version);
    return FTL_OK;
}

static ftl_status op_frame(ftl_vm *vm)
{
    uint64_t size; /* of the frame; it is not used, since bytes are taken as they come */
    return ftl_vm_le(vm, 8, &size);
}

/* ---- memo ------------------------------------------------------------------------------------ */

static ftl_status text_index(ftl_vm *vm, uint64_t *out)
{
    const uint8_t *text;
    size_t size;
    int64_t index;
    FTL_TRY(ftl_vm_line(vm, &text, &size));
    if (!ftl_parse_i64((const char *)text, size, &index) || index < 0)
        return FTL_VM_FAIL(vm, FTL_CORRUPT, "a memo index is not a number: the file is damaged");
    *out = (uint64_t)index;
    return FTL_OK;
}

static ftl_status op_put(ftl_vm *vm)
{
    uint64_t index;
    FTL_TRY(text_index(vm, &index));
    return ftl_vm_memo_put(vm, index);
}

static ftl_status op_get(ftl_vm *vm)
{
    uint64_t index;
    FTL_TRY(text_index(vm, &index));
    return ftl_vm_memo_get(vm, index);
}

static ftl_status put_le(ftl_vm *vm, size_t width)
{
    uint64_t index;
    FTL_TRY(ftl_vm_le(vm, width, &index));
    return ftl_vm_memo_put(vm, index);
}

static ftl_status get_le(ftl_vm *vm, size_t width)
{
    uint64_t index;
    FTL_TRY(ftl_vm_le(vm, width, &index));
    return ftl_vm_memo_get(vm, index);
}

static ftl_status op_binput(ftl_vm *vm) { return put_le(vm, 1); }
static ftl_status op_long_binput(ftl_vm *vm) { return put_le(vm, 4); }
static ftl_status op_binget(ftl_vm *vm) { return get_le(vm, 1); }
static ftl_status op_long_binget(ftl_vm *vm) { return get_le(vm, 4); }
static ftl_status op_memoize(ftl_vm *vm) { return ftl_vm_memo_put(vm, vm->memo_count); }

/* ---- containers ------------------------------------------------------------------------------ */

static ftl_status push_empty(ftl_vm *vm, ftl_node_kind kind)
{
    ftl_node *node;
    FTL_TRY(ftl_vm_new(vm, kind, &node));
    return ftl_vm_push(vm, node);
}

static ftl_status op_empty_list(ftl_vm *vm) { return push_empty(vm, FTL_NODE_LIST); }
static ftl_status op_empty_dict(ftl_vm *vm) { return push_empty(vm, FTL_NODE_DICT); }
static ftl_status op_empty_set(ftl_vm *vm) { return push_empty(vm, FTL_NODE_SET); }
static ftl_status op_empty_tuple(ftl_vm *vm) { return push_empty(vm, FTL_NODE_TUPLE); }

/* Everything above the mark becomes one node. */
static ftl_status close_sequence(ftl_vm *vm, ftl_node_kind kind)
{
    ftl_node **items, *node;
    size_t count;
    FTL_TRY(ftl_vm_pop_mark(vm, &items, &count));
    FTL_TRY(ftl_vm_new(vm, kind, &node));
    FTL_TRY(ftl_vm_extend(vm, &node->u.seq, items, count));
    return ftl_vm_push(vm, node);
}

static ftl_status op_tuple(ftl_vm *vm) { return close_sequence(vm, FTL_NODE_TUPLE); }
static ftl_status op_list(ftl_vm *vm) { return close_sequence(vm, FTL_NODE_LIST); }
static ftl_status op_frozenset(ftl_vm *vm) { return close_sequence(vm, FTL_NODE_SET); }

static ftl_status op_dict(ftl_vm *vm)
{
    ftl_node **items, *node;
    size_t count;
    FTL_TRY(ftl_vm_pop_mark(vm, &items, &count));
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_DICT, &node));
    FTL_TRY(ftl_vm_insert(vm, &node->u.dict, items, count));
    return ftl_vm_push(vm, node);
}

static ftl_status tuple_of(ftl_vm *vm, size_t count)
{
    ftl_node *items[3], *node;
    for (size_t i = count; i-- > 0;)
        FTL_TRY(ftl_vm_pop(vm, &items[i]));
    FTL_TRY(ftl_vm_new_tuple(vm, items, count, &node));
    return ftl_vm_push(vm, node);
}

static ftl_status op_tuple1(ftl_vm *vm) { return tuple_of(vm, 1); }
static ftl_status op_tuple2(ftl_vm *vm) { return tuple_of(vm, 2); }
static ftl_status op_tuple3(ftl_vm *vm) { return tuple_of(vm, 3); }

static ftl_status append(ftl_vm *vm, ftl_node *target, ftl_node *const *items, size_t count)
{
    switch (target->kind) {
    case FTL_NODE_LIST:
    case FTL_NODE_SET:
        return ftl_vm_extend(vm, &target->u.seq, items, count);
    case FTL_NODE_OBJECT:
        return ftl_vm_extend(vm, &target->u.object->items, items, count);
    default:
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "the pickle appends to something that is no list: the file is damaged");
    }
}

static ftl_status op_append(ftl_vm *vm)
{
    ftl_node *item, *target;
    FTL_TRY(ftl_vm_pop(vm, &item));
    FTL_TRY(ftl_vm_top(vm, &target));
    return append(vm, target, &item, 1);
}

static ftl_status op_appends(ftl_vm *vm)
{
    ftl_node **items, *target;
    size_t count;
    FTL_TRY(ftl_vm_pop_mark(vm, &items, &count));
    FTL_TRY(ftl_vm_top(vm, &target));
    return append(vm, target, items, count);
}

static ftl_status insert(ftl_vm *vm, ftl_node *target, ftl_node *const *items, size_t count)
{
    switch (target->kind) {
    case FTL_NODE_DICT:
        return ftl_vm_insert(vm, &target->u.dict, items, count);
    case FTL_NODE_OBJECT:
        return ftl_vm_insert(vm, &target->u.object->dict_items, items, count);
    default:
        return FTL_VM_FAIL(
            vm, FTL_CORRUPT,
            "the pickle sets an item of something that is no dict: the file is damaged");
    }
}

static ftl_status op_setitem(ftl_vm *vm)
{
    ftl_node *pair[2], *target;
    FTL_TRY(ftl_vm_pop(vm, &pair[1]));
    FTL_TRY(ftl_vm_pop(vm, &pair[0]));
    FTL_TRY(ftl_vm_top(vm, &target));
    return insert(vm, target, pair, 2);
}

static ftl_status op_setitems(ftl_vm *vm)
{
    ftl_node **items, *target;
    size_t count;
    FTL_TRY(ftl_vm_pop_mark(vm, &items, &count));
    FTL_TRY(ftl_vm_top(vm, &target));
    return insert(vm, target, items, count);
}

void ftl_vm_container_ops(ftl_vm_op table[256])
{
    table[PK_MARK] = op_mark;
    table[PK_POP] = op_pop;
    table[PK_POP_MARK] = op_pop_mark;
    table[PK_DUP] = op_dup;
    table[PK_STOP] = op_stop;
    table[PK_PROTO] = op_proto;
    table[PK_FRAME] = op_frame;
    table[PK_PUT] = op_put;
    table[PK_BINPUT] = op_binput;
    table[PK_LONG_BINPUT] = op_long_binput;
    table[PK_GET] = op_get;
    table[PK_BINGET] = op_binget;
    table[PK_LONG_BINGET] = op_long_binget;
    table[PK_MEMOIZE] = op_memoize;
    table[PK_EMPTY_LIST] = op_empty_list;
    table[PK_EMPTY_DICT] = op_empty_dict;
    table[PK_EMPTY_SET] = op_empty_set;
    table[PK_EMPTY_TUPLE] = op_empty_tuple;
    table[PK_TUPLE] = op_tuple;
    table[PK_TUPLE1] = op_tuple1;
    table[PK_TUPLE2] = op_tuple2;
    table[PK_TUPLE3] = op_tuple3;
    table[PK_LIST] = op_list;
    table[PK_DICT] = op_dict;
    table[PK_FROZENSET] = op_frozenset;
    table[PK_APPEND] = op_append;
    table[PK_APPENDS] = op_appends;
    table[PK_ADDITEMS] = op_appends;
    table[PK_SETITEM] = op_setitem;
    table[PK_SETITEMS] = op_setitems;
}
