/* Opcodes of classes, functions and instances. Names are kept; nothing is looked up or called. */
#include "pickle/opcodes.h"
#include "pickle/vm.h"

#include "base/utf8.h"

/* A class that needs all fields of an array ends the projections that name it in `unless`. */
static void end_projections(ftl_vm *vm, const char *name)
{
    const ftl_pickle_options *options = vm->load->options;
    for (size_t i = 0; i < options->n_projections && i < 32; i++) {
        const char *const *unless = options->projections[i].unless;
        for (; unless && *unless; unless++) {
            if (strcmp(*unless, name) == 0)
                vm->load->unwanted |= UINT32_C(1) << i;
        }
    }
}

static ftl_status new_global(ftl_vm *vm, const char *module, const char *name, ftl_node **out)
{
    ftl_node *node;
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_GLOBAL, &node));
    node->u.global.module = module;
    node->u.global.name = name;
    end_projections(vm, name);
    FTL_TRY(ftl_vm_watch(vm, module, name));
    *out = node;
    return FTL_OK;
}

/* A name from a line. Names with NUL or broken UTF-8 inside would be cut off or misread when shown.
 */
static ftl_status line_name(ftl_vm *vm, const char **out)
{
    const uint8_t *text;
    size_t size;
    FTL_TRY(ftl_vm_line(vm, &text, &size));
    if (size > FTL_VM_NAME)
        return ftl_vm_long_name(vm);
    if (memchr(text, 0, size) || !ftl_utf8_valid_with_surrogates((const char *)text, size))
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "a class or function has an unreadable name: the file is damaged");
    const char *name = ftl_arena_string(vm->arena, (const char *)text, size);
    if (!name)
        return FTL_OOM(vm->error);
    *out = name;
    return FTL_OK;
}

static ftl_status global_from_lines(ftl_vm *vm, ftl_node **out)
{
    const char *module, *name;
    FTL_TRY(line_name(vm, &module));
    FTL_TRY(line_name(vm, &name));
    return new_global(vm, module, name, out);
}

static ftl_status op_global(ftl_vm *vm)
{
    ftl_node *node;
    FTL_TRY(global_from_lines(vm, &node));
    return ftl_vm_push(vm, node);
}

static ftl_status op_stack_global(ftl_vm *vm)
{
    ftl_node *module, *name, *node;
    FTL_TRY(ftl_vm_pop(vm, &name));
    FTL_TRY(ftl_vm_pop(vm, &module));
    if (name->kind == FTL_NODE_STR && module->kind == FTL_NODE_STR &&
        (name->u.str.size > FTL_VM_NAME || module->u.str.size > FTL_VM_NAME))
        return ftl_vm_long_name(vm);
    if (name->kind != FTL_NODE_STR || module->kind != FTL_NODE_STR ||
        memchr(name->u.str.data, 0, name->u.str.size) ||
        memchr(module->u.str.data, 0, module->u.str.size))
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "a class or function has an unreadable name: the file is damaged");
    FTL_TRY(new_global(vm, module->u.str.data, name->u.str.data, &node));
    return ftl_vm_push(vm, node);
}

/* Codes of copyreg's extension registry mean something only to the program that registered them. */
static ftl_status push_extension(ftl_vm *vm, size_t width)
{
    uint64_t code;
    FTL_TRY(ftl_vm_le(vm, width, &code));
    char *name = ftl_arena_printf(vm->arena, "extension %llu", (unsigned long long)code);
    ftl_node *node;
    if (!name)
        return FTL_OOM(vm->error);
    FTL_TRY(new_global(vm, "copyreg", name, &node));
    return ftl_vm_push(vm, node);
}

static ftl_status op_ext1(ftl_vm *vm) { return push_extension(vm, 1); }
static ftl_status op_ext2(ftl_vm *vm) { return push_extension(vm, 2); }
static ftl_status op_ext4(ftl_vm *vm) { return push_extension(vm, 4); }

static ftl_status op_reduce(ftl_vm *vm)
{
    ftl_node *args, *callable, *node;
    FTL_TRY(ftl_vm_pop(vm, &args));
    FTL_TRY(ftl_vm_pop(vm, &callable));
    FTL_TRY(ftl_vm_reduce(vm, callable, args, &node));
    return ftl_vm_push(vm, node);
}

static ftl_status op_newobj(ftl_vm *vm)
{
    ftl_node *args, *cls, *node;
    FTL_TRY(ftl_vm_pop(vm, &args));
    FTL_TRY(ftl_vm_pop(vm, &cls));
    FTL_TRY(ftl_vm_instance(vm, cls, args, NULL, &node));
    return ftl_vm_push(vm, node);
}

static ftl_status op_newobj_ex(ftl_vm *vm)
{
    ftl_node *kwargs, *args, *cls, *node;
    FTL_TRY(ftl_vm_pop(vm, &kwargs));
    FTL_TRY(ftl_vm_pop(vm, &args));
    FTL_TRY(ftl_vm_pop(vm, &cls));
    FTL_TRY(ftl_vm_instance(vm, cls, args, kwargs, &node));
    return ftl_vm_push(vm, node);
}

/* INST: module and name on two lines, arguments above the mark. */
static ftl_status op_inst(ftl_vm *vm)
{
    ftl_node **items, *cls, *args, *node;
    size_t count;
    FTL_TRY(global_from_lines(vm, &cls));
    FTL_TRY(ftl_vm_pop_mark(vm, &items, &count));
    FTL_TRY(ftl_vm_new_tuple(vm, items, count, &args));
    FTL_TRY(ftl_vm_reduce(vm, cls, args, &node));
    return ftl_vm_push(vm, node);
}

/* OBJ: the class and its arguments above the mark. */
static ftl_status op_obj(ftl_vm *vm)
{
    ftl_node **items, *cls, *args, *node;
    size_t count;
    FTL_TRY(ftl_vm_pop_mark(vm, &items, &count));
    if (count == 0)
        return FTL_VM_FAIL(vm, FTL_CORRUPT, "an object has no class: the file is damaged");
    cls = items[0];
    FTL_TRY(ftl_vm_new_tuple(vm, items + 1, count - 1, &args));
    FTL_TRY(ftl_vm_reduce(vm, cls, args, &node));
    return ftl_vm_push(vm, node);
}

static ftl_status op_build(ftl_vm *vm)
{
    ftl_node *state, *node;
    FTL_TRY(ftl_vm_pop(vm, &state));
    FTL_TRY(ftl_vm_top(vm, &node));
    return ftl_vm_build(vm, node, state);
}

static ftl_status push_persistent(ftl_vm *vm, ftl_node *id)
{
    ftl_node *node;
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_PERSISTENT, &node));
    node->u.persistent = id;
    return ftl_vm_push(vm, node);
}

static ftl_status op_persid(ftl_vm *vm)
{
    const uint8_t *text;
    size_t size;
    ftl_node *id;
    FTL_TRY(ftl_vm_line(vm, &text, &size));
    FTL_TRY(ftl_vm_byte_string(vm, text, size, &id));
    return push_persistent(vm, id);
}

static ftl_status op_binpersid(ftl_vm *vm)
{
    ftl_node *id;
    FTL_TRY(ftl_vm_pop(vm, &id));
    return push_persistent(vm, id);
}

void ftl_vm_object_ops(ftl_vm_op table[256])
{
    table[PK_GLOBAL] = op_global;
    table[PK_STACK_GLOBAL] = op_stack_global;
    table[PK_EXT1] = op_ext1;
    table[PK_EXT2] = op_ext2;
    table[PK_EXT4] = op_ext4;
    table[PK_REDUCE] = op_reduce;
    table[PK_NEWOBJ] = op_newobj;
    table[PK_NEWOBJ_EX] = op_newobj_ex;
    table[PK_INST] = op_inst;
    table[PK_OBJ] = op_obj;
    table[PK_BUILD] = op_build;
    table[PK_PERSID] = op_persid;
    table[PK_BINPERSID] = op_binpersid;
}
