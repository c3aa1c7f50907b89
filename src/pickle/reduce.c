/*
 * What the calls in a pickle stand for. A short list of constructors that are pure data (sets,
 * ordered dicts, numpy arrays, bytes of old protocols) becomes that data; every other call is kept
 * as an inert object named by its callable.
 */
#include "pickle/pandas.h"
#include "pickle/vm.h"

typedef ftl_status (*reducer)(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out);

static const ftl_node *arg(const ftl_node *args, size_t i)
{
    return i < args->u.seq.size ? args->u.seq.items[i] : NULL;
}

static bool is_sequence(const ftl_node *node)
{
    return node && (node->kind == FTL_NODE_LIST || node->kind == FTL_NODE_TUPLE ||
                    node->kind == FTL_NODE_SET);
}

static ftl_status inert(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    return ftl_vm_new_object(vm, callable->u.global.module, callable->u.global.name, args, out);
}

/* ---- builtins -------------------------------------------------------------------------------- */

static ftl_status copy_sequence(ftl_vm *vm, ftl_node_kind kind, const ftl_node *from,
                                ftl_node **out)
{
    ftl_node *node;
    FTL_TRY(ftl_vm_new(vm, kind, &node));
    if (from) {
        FTL_TRY(ftl_vm_spend(vm, from->u.seq.size * sizeof(ftl_node *)));
        FTL_TRY(ftl_vm_extend(vm, &node->u.seq, from->u.seq.items, from->u.seq.size));
    }
    *out = node;
    return FTL_OK;
}

/* set(items), frozenset(items) */
static ftl_status make_set(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    if (args->u.seq.size > 1 || (args->u.seq.size == 1 && !is_sequence(arg(args, 0))))
        return inert(vm, callable, args, out);
    return copy_sequence(vm, FTL_NODE_SET, arg(args, 0), out);
}

static ftl_status make_list(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    if (args->u.seq.size > 1 || (args->u.seq.size == 1 && !is_sequence(arg(args, 0))))
        return inert(vm, callable, args, out);
    return copy_sequence(vm, FTL_NODE_LIST, arg(args, 0), out);
}

/* bytes(), bytes(b"…"), bytearray(b"…"), bytearray("…", "latin-1"): protocols 0 to 4 write
 * bytearrays so. */
static ftl_status make_bytes(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    const ftl_node *from = arg(args, 0);
    if (!from)
        return ftl_vm_new_text(vm, FTL_NODE_BYTES, "", 0, out);
    if (from->kind == FTL_NODE_STR)
        return ftl_vm_latin1(vm, from, out);
    if (from->kind != FTL_NODE_BYTES)
        return inert(vm, callable, args, out);
    ftl_node *node;
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_BYTES, &node));
    node->u.str = from->u.str;
    *out = node;
    return FTL_OK;
}

/* _codecs.encode(text, "latin1"): how protocols 0 to 2 write bytes. */
static ftl_status codecs_encode(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    const ftl_node *text = arg(args, 0), *codec = arg(args, 1);
    bool latin = codec &&
                 (ftl_node_str_equal(codec, "latin1") || ftl_node_str_equal(codec, "latin-1"));
    if (!text || text->kind != FTL_NODE_STR || !latin)
        return inert(vm, callable, args, out);
    return ftl_vm_latin1(vm, text, out);
}

/* OrderedDict(), OrderedDict([[key, value], …]) of Python 2, Counter({…}), dict(…) */
static ftl_status make_dict(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    const ftl_node *from = arg(args, 0);
    ftl_node *node;
    if (from && from->kind != FTL_NODE_DICT && !is_sequence(from))
        return inert(vm, callable, args, out);
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_DICT, &node));
    size_t n = !from ? 0 : from->kind == FTL_NODE_DICT ? from->u.dict.size : from->u.seq.size;
    FTL_TRY(ftl_vm_spend(vm, n * 2 * sizeof(ftl_node *)));
    for (size_t i = 0; i < n; i++) {
        ftl_node *pair[2];
        if (from->kind == FTL_NODE_DICT) {
            pair[0] = from->u.dict.keys[i];
            pair[1] = from->u.dict.values[i];
        } else {
            const ftl_node *item = from->u.seq.items[i];
            if (!is_sequence(item) || item->u.seq.size != 2)
                return inert(vm, callable, args, out);
            memcpy(pair, item->u.seq.items, sizeof pair);
        }
        FTL_TRY(ftl_vm_insert(vm, &node->u.dict, pair, 2));
    }
    *out = node;
    return FTL_OK;
}

/* defaultdict(factory): the factory never runs here. */
static ftl_status make_defaultdict(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    (void)callable;
    (void)args;
    return ftl_vm_new(vm, FTL_NODE_DICT, out);
}

/* ---- copyreg --------------------------------------------------------------------------------- */

/* _reconstructor(cls, base, state): objects of protocols 0 and 1. base is object, or list or dict
 * with its content. */
static ftl_status reconstructor(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    ftl_node *node;
    if (args->u.seq.size != 3 || args->u.seq.items[0]->kind != FTL_NODE_GLOBAL)
        return inert(vm, callable, args, out);
    ftl_node *cls = args->u.seq.items[0], *content = args->u.seq.items[2], *empty;
    FTL_TRY(ftl_vm_new_tuple(vm, NULL, 0, &empty));
    FTL_TRY(ftl_vm_instance(vm, cls, empty, NULL, &node));
    if (content->kind == FTL_NODE_DICT) {
        ftl_node_dict *target = node->kind == FTL_NODE_DICT ? &node->u.dict
                                                            : &node->u.object->dict_items;
        if (node->kind != FTL_NODE_DICT && node->kind != FTL_NODE_OBJECT)
            return inert(vm, callable, args, out);
        FTL_TRY(ftl_vm_spend(vm, content->u.dict.size * 2 * sizeof(ftl_node *)));
        for (size_t i = 0; i < content->u.dict.size; i++) {
            ftl_node *pair[2] = {content->u.dict.keys[i], content->u.dict.values[i]};
            FTL_TRY(ftl_vm_insert(vm, target, pair, 2));
        }
    } else if (node->kind == FTL_NODE_OBJECT && is_sequence(content)) {
        FTL_TRY(ftl_vm_spend(vm, content->u.seq.size * sizeof(ftl_node *)));
        FTL_TRY(
            ftl_vm_extend(vm, &node->u.object->items, content->u.seq.items, content->u.seq.size));
    } else if (node->kind == FTL_NODE_OBJECT && content->kind != FTL_NODE_NONE) {
        FTL_TRY(ftl_vm_new_tuple(
            vm, &content, 1, &node->u.object->args)); /* a subclass of int, str, … with its value */
    }
    *out = node;
    return FTL_OK;
}

/* __newobj__(cls, *args), and Cython's newObj(cls) of scikit-learn's trees of neighbours */
static ftl_status newobj(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    ftl_node *rest;
    if (args->u.seq.size == 0 || args->u.seq.items[0]->kind != FTL_NODE_GLOBAL)
        return inert(vm, callable, args, out);
    FTL_TRY(ftl_vm_spend(vm, args->u.seq.size * sizeof(ftl_node *)));
    FTL_TRY(ftl_vm_new_tuple(vm, args->u.seq.items + 1, args->u.seq.size - 1, &rest));
    return ftl_vm_instance(vm, args->u.seq.items[0], rest, NULL, out);
}

/* __newobj_ex__(cls, args, kwargs) */
static ftl_status newobj_ex(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    if (args->u.seq.size != 3 || args->u.seq.items[0]->kind != FTL_NODE_GLOBAL)
        return inert(vm, callable, args, out);
    return ftl_vm_instance(vm, args->u.seq.items[0], args->u.seq.items[1], args->u.seq.items[2],
                           out);
}

/* ---- numpy ----------------------------------------------------------------------------------- */

/* _reconstruct(cls, (0,), b"b"): an array whose state follows. Also MaskedArray's, whose mask is
 * left out. */
static ftl_status numpy_reconstruct(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    (void)callable;
    (void)args;
    return ftl_vm_array_new(vm, out);
}

static ftl_status numpy_scalar(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    (void)callable;
    return ftl_vm_scalar(vm, args, out);
}

static ftl_status numpy_frombuffer(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    (void)callable;
    return ftl_vm_frombuffer(vm, args, out);
}

/* dtype("f8", align, copy); a class such as numpy.float64 may stand for the text. */
static ftl_status numpy_dtype(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    const ftl_node *spec = arg(args, 0);
    if (spec && (spec->kind == FTL_NODE_STR || spec->kind == FTL_NODE_BYTES))
        return ftl_vm_dtype_new(vm, spec->u.str.data, spec->u.str.size, out);
    if (spec && spec->kind == FTL_NODE_GLOBAL)
        return ftl_vm_dtype_new(vm, spec->u.global.name, strlen(spec->u.global.name), out);
    return inert(vm, callable, args, out);
}

/* _ufunc_reconstruct("numpy", "log1p") */
static ftl_status numpy_ufunc(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    const ftl_node *module = arg(args, 0), *name = arg(args, 1);
    ftl_node *node;
    if (!module || !name || module->kind != FTL_NODE_STR || name->kind != FTL_NODE_STR)
        return inert(vm, callable, args, out);
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_GLOBAL, &node));
    node->u.global.module = module->u.str.data;
    node->u.global.name = name->u.str.data;
    FTL_TRY(ftl_vm_watch(vm, module->u.str.data, name->u.str.data));
    *out = node;
    return FTL_OK;
}

/* ---- dill ------------------------------------------------------------------------------------ */

static reducer find_reducer(const char *module, const char *name);

/* _load_type("bytearray"): how dill writes the built-in types that other picklers name outright. */
static ftl_status dill_type(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    static const char *const types[] = {
        "bool", "bytearray", "bytes", "complex", "dict",  "float", "frozenset", "int",
        "list", "object",    "range", "set",     "slice", "str",   "tuple",     "type"};
    const ftl_node *name = args->u.seq.size == 1 ? arg(args, 0) : NULL;
    ftl_node *node;
    for (size_t i = 0; name && name->kind == FTL_NODE_STR && i < FTL_ARRAY_LEN(types); i++) {
        if (strcmp(name->u.str.data, types[i]) != 0)
            continue;
        FTL_TRY(ftl_vm_new(vm, FTL_NODE_GLOBAL, &node));
        node->u.global.module = "builtins";
        node->u.global.name = types[i];
        *out = node;
        return FTL_OK;
    }
    return inert(vm, callable, args, out);
}

/*
 * _create_array(_reconstruct, args, state, attributes): a numpy array in one call, of 0.3 on; the
 * attributes are those of subclasses.
 */
static ftl_status dill_array(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    const ftl_node *maker = arg(args, 0), *made_of = arg(args, 1), *state = arg(args, 2);
    if (!maker || !made_of || !state || maker->kind != FTL_NODE_GLOBAL ||
        find_reducer(maker->u.global.module, maker->u.global.name) != numpy_reconstruct)
        return inert(vm, callable, args, out);
    FTL_TRY(ftl_vm_array_new(vm, out));
    return ftl_vm_array_build(vm, *out, args->u.seq.items[2]);
}

/* _get_attr(_import_module("numpy.core.multiarray"), "scalar"): that function by its name. */
static ftl_status dill_attribute(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    const ftl_node *module = arg(args, 0), *name = arg(args, 1), *path = NULL;
    ftl_node *node;
    if (module && module->kind == FTL_NODE_OBJECT &&
        strncmp(module->u.object->module, "dill", 4) == 0 &&
        strcmp(module->u.object->name, "_import_module") == 0 && module->u.object->args)
        path = arg(module->u.object->args, 0);
    if (!path || path->kind != FTL_NODE_STR || !name || name->kind != FTL_NODE_STR)
        return inert(vm, callable, args, out);
    FTL_TRY(ftl_vm_watch(vm, path->u.str.data, name->u.str.data));
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_GLOBAL, &node));
    node->u.global.module = path->u.str.data;
    node->u.global.name = name->u.str.data;
    *out = node;
    return FTL_OK;
}

/* ---- pandas ---------------------------------------------------------------------------------- */

/* _new_Index(cls, {"data": …, "name": …}) */
static ftl_status pandas_index(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    const ftl_node *cls = arg(args, 0);
    ftl_node *node;
    if (!cls || args->u.seq.size != 2 || cls->kind != FTL_NODE_GLOBAL ||
        args->u.seq.items[1]->kind != FTL_NODE_DICT)
        return inert(vm, callable, args, out);
    FTL_TRY(ftl_vm_new_object(vm, cls->u.global.module, cls->u.global.name, args, &node));
    node->u.object->state = args->u.seq.items[1];
    *out = node;
    return FTL_OK;
}

/* py_buffer(bytes): the bytes. */
static ftl_status arrow_buffer(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    if (args->u.seq.size != 1 || args->u.seq.items[0]->kind != FTL_NODE_BYTES)
        return inert(vm, callable, args, out);
    *out = args->u.seq.items[0];
    return FTL_OK;
}

static ftl_status arrow_array(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    ftl_node *made = NULL;
    FTL_TRY(ftl_vm_arrow_array(vm, args, &made));
    if (!made)
        return inert(vm, callable, args, out);
    *out = made;
    return FTL_OK;
}

static ftl_status arrow_chunks(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    ftl_node *made = NULL;
    FTL_TRY(ftl_vm_arrow_chunks(vm, args, &made));
    if (!made)
        return inert(vm, callable, args, out);
    *out = made;
    return FTL_OK;
}

/* ---- the table ------------------------------------------------------------------------------- */

typedef struct known {
    const char *module, *name;
    reducer reduce;
} known;

/* Python 2 names included: copy_reg, __builtin__. numpy 2 renamed numpy.core to numpy._core. */
static const known reducers[] = {
    {"copyreg", "_reconstructor", reconstructor},
    {"copy_reg", "_reconstructor", reconstructor},
    {"copyreg", "__newobj__", newobj},
    {"copy_reg", "__newobj__", newobj},
    {"copyreg", "__newobj_ex__", newobj_ex},
    {"builtins", "set", make_set},
    {"__builtin__", "set", make_set},
    {"builtins", "frozenset", make_set},
    {"__builtin__", "frozenset", make_set},
    {"builtins", "list", make_list},
    {"__builtin__", "list", make_list},
    {"builtins", "dict", make_dict},
    {"__builtin__", "dict", make_dict},
    {"builtins", "bytes", make_bytes},
    {"__builtin__", "bytes", make_bytes},
    {"builtins", "bytearray", make_bytes},
    {"__builtin__", "bytearray", make_bytes},
    {"_codecs", "encode", codecs_encode},
    {"collections", "OrderedDict", make_dict},
    {"collections", "Counter", make_dict},
    {"collections", "defaultdict", make_defaultdict},
    {"numpy.core.multiarray", "_reconstruct", numpy_reconstruct},
    {"numpy._core.multiarray", "_reconstruct", numpy_reconstruct},
    {"numpy.core._multiarray_umath", "_reconstruct", numpy_reconstruct}, /* 1.16.0 */
    {"numpy._core._multiarray_umath", "_reconstruct", numpy_reconstruct},
    {"numpy.ma.core", "_mareconstruct", numpy_reconstruct},
    {"numpy.core.multiarray", "scalar", numpy_scalar},
    {"numpy._core.multiarray", "scalar", numpy_scalar},
    {"numpy.core._multiarray_umath", "scalar", numpy_scalar},
    {"numpy._core._multiarray_umath", "scalar", numpy_scalar},
    {"numpy.core.numeric", "_frombuffer", numpy_frombuffer},
    {"numpy._core.numeric", "_frombuffer", numpy_frombuffer},
    {"numpy", "dtype", numpy_dtype},
    {"numpy.core", "_ufunc_reconstruct", numpy_ufunc},
    {"numpy._core", "_ufunc_reconstruct", numpy_ufunc},
    {"pandas.core.indexes.base", "_new_Index", pandas_index},
    {"pandas.indexes.base", "_new_Index", pandas_index},
    {"dill._dill", "_load_type", dill_type},
    {"dill.dill", "_load_type", dill_type},
    {"dill._dill", "_create_array", dill_array},
    {"dill.dill", "_create_array", dill_array},
    {"dill._dill", "_get_attr", dill_attribute},
    {"dill.dill", "_get_attr", dill_attribute},
    {"pyarrow.lib", "py_buffer", arrow_buffer},
    {"pyarrow.lib", "_restore_array", arrow_array},
    {"pyarrow.lib", "chunked_array", arrow_chunks},
    {"sklearn.neighbors.kd_tree", "newObj", newobj},
    {"sklearn.neighbors._kd_tree", "newObj", newobj},
    {"sklearn.neighbors.ball_tree", "newObj", newobj},
    {"sklearn.neighbors._ball_tree", "newObj", newobj},
    {"sklearn.neighbors._dist_metrics", "newObj", newobj},
    {"sklearn.neighbors.dist_metrics", "newObj", newobj},
    {"sklearn.metrics._dist_metrics", "newObj", newobj},
};

static reducer find_reducer(const char *module, const char *name)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(reducers); i++) {
        if (strcmp(name, reducers[i].name) == 0 && strcmp(module, reducers[i].module) == 0)
            return reducers[i].reduce;
    }
    return NULL;
}

/* Instances of these are plain dicts with attribute access. */
static bool is_dict_class(const char *module, const char *name)
{
    if (strcmp(name, "Bunch") == 0)
        return strncmp(module, "sklearn.", 8) == 0;
    return strcmp(module, "collections") == 0 &&
           (strcmp(name, "OrderedDict") == 0 || strcmp(name, "defaultdict") == 0 ||
            strcmp(name, "Counter") == 0);
}

/*
 * A class or function that is itself the result of a call, as cloudpickle's classes by value. Such
 * objects are named after what was called; a class made by cloudpickle gets the name that it was
 * given.
 */
static ftl_status computed(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    const char *module = "", *name = "result of a call";
    FTL_TRY(ftl_vm_watch_computed_call(vm, callable));
    if (callable->kind == FTL_NODE_OBJECT) {
        const ftl_node *made = callable->u.object->args;
        bool skeleton = strcmp(callable->u.object->name, "_make_skeleton_class") == 0;
        const ftl_node *given = skeleton && made && made->kind == FTL_NODE_TUPLE ? arg(made, 1)
                                                                                 : NULL;
        bool named = given && given->kind == FTL_NODE_STR && given->u.str.size <= FTL_VM_NAME;
        module = named ? "__main__" : callable->u.object->module;
        name = named ? given->u.str.data : callable->u.object->name;
    }
    ftl_node *both[2] = {callable, args}, *tuple;
    FTL_TRY(ftl_vm_new_tuple(vm, both, 2, &tuple));
    return ftl_vm_new_object(vm, module, name, tuple, out);
}

static ftl_status need_tuple(ftl_vm *vm, const ftl_node *args)
{
    if (args->kind != FTL_NODE_TUPLE)
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "the arguments of a call are no tuple: the file is damaged");
    return FTL_OK;
}

ftl_status ftl_vm_reduce(ftl_vm *vm, ftl_node *callable, ftl_node *args, ftl_node **out)
{
    FTL_TRY(need_tuple(vm, args));
    if (callable->kind != FTL_NODE_GLOBAL)
        return computed(vm, callable, args, out);
    reducer reduce = find_reducer(callable->u.global.module, callable->u.global.name);
    if (reduce)
        return reduce(vm, callable, args, out);
    FTL_TRY(ftl_vm_watch_call(vm, callable));
    return inert(vm, callable, args, out);
}

ftl_status ftl_vm_instance(ftl_vm *vm, ftl_node *cls, ftl_node *args, ftl_node *kwargs,
                           ftl_node **out)
{
    FTL_TRY(need_tuple(vm, args));
    if (cls->kind != FTL_NODE_GLOBAL)
        return computed(vm, cls, args, out);
    if (is_dict_class(cls->u.global.module, cls->u.global.name))
        return ftl_vm_new(vm, FTL_NODE_DICT, out);
    if (kwargs && kwargs->kind == FTL_NODE_DICT && kwargs->u.dict.size) {
        ftl_node *both[2] = {args, kwargs};
        FTL_TRY(ftl_vm_new_tuple(vm, both, 2, &args)); /* keywords are rare: (args, kwargs) */
    }
    return inert(vm, cls, args, out);
}

ftl_status ftl_vm_build(ftl_vm *vm, ftl_node *node, ftl_node *state)
{
    switch (node->kind) {
    case FTL_NODE_ARRAY:
        return ftl_vm_array_build(vm, node, state);
    case FTL_NODE_DTYPE:
        return ftl_vm_dtype_build(vm, node, state);
    case FTL_NODE_OBJECT:
        node->u.object->state = state;
        FTL_TRY(ftl_vm_joblib(vm, node));
        FTL_TRY(ftl_vm_pandas(vm, node));
        return ftl_vm_scipy(vm, node);
    default:
        /* attributes of a dict subclass, or of a class saved by value: nothing reads them */
        return FTL_OK;
    }
}
