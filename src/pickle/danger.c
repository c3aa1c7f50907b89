/*
 * Functions that a model never needs and an attack does. Nothing in a pickle is ever called here;
 * the list serves to say plainly what such a file is, instead of "unsupported".
 */
#include "base/hash.h"
#include "pickle/vm.h"

#include <stdio.h>

/* A module's and a function's name of the greatest length; a table of twice the names in it. */
enum { NAMES_ROOM = 2048, FOREIGN_SLOTS = 2 * FTL_MAX_FOREIGN };

typedef struct rule {
    const char *module; /* exact, or a prefix that ends in '.' */
    const char *name;   /* NULL: everything in the module */
} rule;

static const rule dangerous[] = {
    {"os", NULL},
    {"posix", NULL},
    {"nt", NULL},
    {"subprocess", NULL},
    {"commands", NULL},
    {"popen2", NULL},
    {"pty", NULL},
    {"sys", NULL},
    {"shutil", NULL},
    {"socket", NULL},
    {"ctypes", NULL},
    {"ctypes.", NULL},
    {"_ctypes", NULL},
    {"importlib", NULL},
    {"importlib.", NULL},
    {"imp", NULL},
    {"runpy", NULL},
    {"code", NULL},
    {"codeop", NULL},
    {"webbrowser", NULL},
    {"asyncio", NULL},
    {"asyncio.", NULL},
    {"multiprocessing", NULL},
    {"multiprocessing.", NULL},
    {"pip", NULL},
    {"pip.", NULL},
    {"pip._internal", NULL},
    {"ssl", NULL},
    {"ftplib", NULL},
    {"http", NULL},
    {"http.", NULL},
    {"urllib", NULL},
    {"urllib.", NULL},
    {"urllib2", NULL},
    {"requests", NULL},
    {"requests.", NULL},
    {"smtplib", NULL},
    {"telnetlib", NULL},
    {"tempfile", NULL},
    {"pickle", "loads"},
    {"pickle", "load"},
    {"_pickle", NULL},
    {"cPickle", "loads"},
    {"cPickle", "load"},
    {"marshal", NULL},
    {"dill", "loads"},
    {"joblib", "load"},
    {"torch", "load"},
    {"torch.serialization", "load"},
    {"cloudpickle", "load"},
    {"cloudpickle", "loads"},
    {"joblib.externals.cloudpickle", "load"},
    {"joblib.externals.cloudpickle", "loads"},
    {"joblib.externals.", "load"},
    {"joblib.externals.", "loads"},
    {"dill", "load"},
    {"dill._dill", "load"},
    {"dill._dill", "loads"},
    {"skops.io", "load"},
    {"skops.io", "loads"},
    {"skops.io.", "load"},
    {"skops.io.", "loads"},
    {"sklearn.utils._joblib", "load"},
    {"sklearn.utils", "joblib"},
    {"numpy.lib.format", "read_array"},
    {"numpy.lib._format_impl", "read_array"},
    {"bdb", NULL},
    {"pdb", NULL},
    {"cProfile", NULL},
    {"profile", NULL},
    {"timeit", NULL},
    {"trace", NULL},
    {"doctest", NULL},
    {"unittest", NULL},
    {"signal", NULL},
    {"threading", NULL},
    {"numpy.testing", NULL},
    {"numpy.testing.", NULL},
    {"numpy.f2py", NULL},
    {"numpy.f2py.", NULL},
    {"numpy.distutils", NULL},
    {"numpy.distutils.", NULL},
    {"numpy.ctypeslib", NULL},
    {"numpy.compat.", NULL},
    {"numpy", "load"},
    {"numpy", "fromfile"},
    {"numpy.lib.npyio", "load"},
    {"numpy.lib._npyio_impl", "load"},
    {"scipy.weave", NULL},
    {"scipy.weave.", NULL},
    {"pandas", "eval"},
    {"pandas.core.computation.", NULL},
    {"pandas", "read_pickle"},
    {"pandas.io.pickle", NULL},
    {"pandas.compat.pickle_compat", NULL},
    {"joblib.numpy_pickle", "load"},
    {"sklearn.utils._testing", NULL},
    {"sklearn.externals.joblib", "load"},
    {"operator", "attrgetter"},
    {"operator", "methodcaller"},
    {"_operator", "attrgetter"},
    {"_operator", "methodcaller"},
    {"builtins", "eval"},
    {"builtins", "exec"},
    {"builtins", "compile"},
    {"builtins", "__import__"},
    {"builtins", "open"},
    {"builtins", "input"},
    {"builtins", "breakpoint"},
    {"builtins", "setattr"},
    {"builtins", "delattr"},
    {"builtins", "globals"},
    {"builtins", "locals"},
    {"builtins", "vars"},
    {"io", "open"},
    {"typing", "ForwardRef"}, /* these evaluate texts */
    {"typing", "get_type_hints"},
    {"typing", "evaluate_forward_ref"},
    {"_io", NULL},
    {"linecache", NULL},
    {"site", NULL},
    {"distutils", NULL},
    {"distutils.", NULL},
    {"setuptools", NULL},
    {"setuptools.", NULL},
};

static const rule by_value[] = {
    {"dill._dill", "_create_function"},
    {"dill._dill", "_create_code"},
    {"dill._dill", "_create_type"},
    {"dill.dill", "_create_function"},
    {"dill.dill", "_create_code"},
    {"dill._dill", "_eval_repr"},
    {"cloudpickle.cloudpickle", "_make_function"},
    {"cloudpickle.cloudpickle", "_make_skel_func"},
    {"cloudpickle.cloudpickle", "_builtin_type"},
    {"cloudpickle.cloudpickle", "_make_skeleton_class"},
    {"cloudpickle.cloudpickle", "_fill_function"},
    {"types", "CodeType"},
    {"types", "FunctionType"},
    {"types", "LambdaType"},
    {"joblib.externals.cloudpickle.cloudpickle", "_make_function"},
    {"joblib.externals.cloudpickle.cloudpickle", "_builtin_type"},
    {"joblib.externals.cloudpickle.cloudpickle", "_make_skeleton_class"},
};

static bool matches(const rule *r, const char *module, const char *name)
{
    size_t n = strlen(r->module);
    bool inside = r->module[n - 1] == '.' ? strncmp(module, r->module, n) == 0
                                          : strcmp(module, r->module) == 0;
    return inside && (!r->name || strcmp(name, r->name) == 0);
}

static bool listed(const rule *rules, size_t count, const char *module, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (matches(&rules[i], module, name))
            return true;
    }
    return false;
}

/*
 * A dotted name reaches through a module that imported the wanted one: ("sklearn", "os.system"),
 * and often under a private name: ("random", "_os.system").
 */
static bool reaches_through(const char *name)
{
    char owner[32];
    for (const char *dot; (dot = strchr(name, '.')) != NULL; name = dot + 1) {
        name += strspn(name, "_");
        size_t length = dot > name ? (size_t)(dot - name) : 0;
        if (length == 0 || length >= sizeof owner)
            continue;
        memcpy(owner, name, length);
        owner[length] = '\0';
        if (listed(dangerous, FTL_ARRAY_LEN(dangerous), owner, dot + 1))
            return true;
    }
    return false;
}

/*
 * Of Python's standard library a model needs types and a few functions; the rest runs code, reads
 * and writes files or the network somewhere. getattr is how older protocols write methods: what it
 * gives is watched when it is called.
 */
static bool is_of_system(const char *module, const char *name)
{
    if (!ftl_module_is_standard(module) || ftl_global_is_known(module, name))
        return false;
    return strcmp(module, "builtins") != 0 || strcmp(name, "getattr") != 0;
}

/*
 * Python 2's module of built-in functions is __builtin__, and it has execfile and file. A dotted
 * name reaches attributes: through a function's __globals__ or a class's __subclasses__ any
 * function.
 */
static bool is_dangerous(const char *module, const char *name)
{
    if (strcmp(module, "__builtin__") == 0 || strcmp(module, "__builtins__") == 0)
        module = "builtins";
    if (strcmp(module, "builtins") == 0 &&
        (strcmp(name, "execfile") == 0 || strcmp(name, "file") == 0))
        return true;
    if (listed(by_value, FTL_ARRAY_LEN(by_value), module, name))
        return false; /* code, but nobody's function: has a message of its own */
    char first[64];   /* load.__call__ is load */
    size_t n = strcspn(name, ".");
    if (n < sizeof first && name[n] == '.') {
        memcpy(first, name, n);
        first[n] = '\0';
        if (listed(dangerous, FTL_ARRAY_LEN(dangerous), module, first))
            return true;
    }
    return listed(dangerous, FTL_ARRAY_LEN(dangerous), module, name) ||
           is_of_system(module, name) || reaches_through(name) || strstr(name, "__globals__") ||
           strstr(name, "__subclasses__") || strstr(name, "__builtins__");
}

/* The slot of a name among the foreign ones, or the empty one where it belongs. */
static uint32_t *foreign_slot(const ftl_pk_load *load, const char *text)
{
    size_t at = (size_t)ftl_hash_bytes(ftl_hash_seed(), text, strlen(text)) % FOREIGN_SLOTS;
    while (load->foreign_slots[at] &&
           strcmp(load->foreign[load->foreign_slots[at] - 1].name, text) != 0)
        at = (at + 1) % FOREIGN_SLOTS;
    return &load->foreign_slots[at];
}

/* Notes a class or function that is neither Python's harmless own nor of a known package. */
static ftl_status note_foreign(ftl_vm *vm, const char *module, const char *name)
{
    char text[NAMES_ROOM];
    ftl_pk_load *load = vm->load;
    ftl_pickle_report *report = &load->report;
    int n = snprintf(text, sizeof text, "%s.%s", module, name);
    if (n < 0 || (size_t)n >= sizeof text)
        return FTL_OK; /* no name is this long: see ops_object.c */
    if (!load->foreign) {
        load->foreign = ftl_arena_zero_array(vm->arena, FTL_MAX_FOREIGN, sizeof *load->foreign);
        load->foreign_slots = ftl_arena_zero_array(vm->arena, FOREIGN_SLOTS,
                                                   sizeof *load->foreign_slots);
        if (!load->foreign || !load->foreign_slots)
            return FTL_OOM(vm->error);
    }
    uint32_t *slot = foreign_slot(load, text);
    if (*slot)
        return FTL_OK;
    report->more_foreign = report->n_foreign == FTL_MAX_FOREIGN;
    if (report->more_foreign)
        return FTL_OK;
    char *copy = ftl_arena_string(vm->arena, text, (size_t)n);
    if (!copy)
        return FTL_OOM(vm->error);
    load->foreign[report->n_foreign++] = (ftl_pickle_global){copy, vm->op_offset};
    *slot = (uint32_t)report->n_foreign;
    return FTL_OK;
}

ftl_status ftl_vm_long_name(ftl_vm *vm)
{
    return FTL_VM_FAIL(vm, FTL_LIMIT,
                       "a class or function has a name of more than %d bytes: the file is damaged",
                       (int)FTL_VM_NAME);
}

ftl_status ftl_vm_watch(ftl_vm *vm, const char *module, const char *name)
{
    if (strnlen(module, FTL_VM_NAME + 1) > FTL_VM_NAME ||
        strnlen(name, FTL_VM_NAME + 1) > FTL_VM_NAME)
        return ftl_vm_long_name(vm);
    if (!ftl_global_is_known(module, name) ||
        listed(by_value, FTL_ARRAY_LEN(by_value), module, name))
        FTL_TRY(note_foreign(vm, module, name));
    ftl_pickle_report *report = &vm->load->report;
    const char **slot = NULL;
    uint64_t *offset = NULL;
    if (!report->dangerous && is_dangerous(module, name)) {
        slot = &report->dangerous;
        offset = &report->dangerous_offset;
    } else if (!report->local_function && listed(by_value, FTL_ARRAY_LEN(by_value), module, name)) {
        slot = &report->local_function;
        offset = &report->local_function_offset;
    }
    if (!slot)
        return FTL_OK;
    const char *text = ftl_arena_printf(vm->arena, "%s.%s", module, name);
    if (!text)
        return FTL_OOM(vm->error);
    *slot = text;
    *offset = vm->op_offset;
    return FTL_OK;
}

/*
 * Functions of data and model packages that pickles of models call: they put together what they are
 * given. Classes have names with a capital; those that have not stand here as well. The most
 * frequent first.
 */
static const rule constructors[] = {
    {"numpy.random._pickle", "__randomstate_ctor"},
    {"numpy.random._pickle", "__bit_generator_ctor"},
    {"numpy.random._pickle", "__generator_ctor"},
    {"numpy", "dtype"},
    {"numpy", "ndarray"},
    {"numpy.", "_frombuffer"},
    {"numpy.", "_mareconstruct"},
    {"numpy.", "_reconstruct"},
    {"numpy.", "_ufunc_reconstruct"},
    {"numpy.", "scalar"},
    {"pandas._libs.internals", "_unpickle_block"},
    {"pandas._libs.tslibs.", NULL},
    {"pandas._libs.interval.", NULL},
    {"pandas.core.indexes.", "_new_DatetimeIndex"},
    {"pandas.core.indexes.", "_new_Index"},
    {"pandas.core.indexes.", "_new_PeriodIndex"},
    {"pandas.core.internals.", "_unpickle_block"},
    {"pyarrow.lib", NULL},
    {"scipy.sparse.", NULL},
    {"sklearn.", "newObj"},
};

/* Whether the last part of a dotted name is a class's, by the usual spelling. */
static bool is_class_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    name = dot ? dot + 1 : name;
    name += strspn(name, "_");
    return *name >= 'A' && *name <= 'Z';
}

ftl_status ftl_vm_watch_call(ftl_vm *vm, const ftl_node *callable)
{
    if (callable->kind != FTL_NODE_GLOBAL || is_class_name(callable->u.global.name))
        return FTL_OK;
    const char *module = callable->u.global.module, *name = callable->u.global.name;
    if (ftl_module_is_standard(module) || !ftl_global_is_known(module, name) ||
        strncmp(name, "__pyx_unpickle_", 15) == 0 ||
        listed(constructors, FTL_ARRAY_LEN(constructors), module, name))
        return FTL_OK;
    return note_foreign(vm, module, name);
}

/* A call of what getattr returned can be a call of any function. */
ftl_status ftl_vm_watch_computed_call(ftl_vm *vm, const ftl_node *callable)
{
    ftl_pickle_report *report = &vm->load->report;
    if (report->dangerous || callable->kind != FTL_NODE_OBJECT ||
        strcmp(callable->u.object->name, "getattr") != 0)
        return FTL_OK;
    report->dangerous = "builtins.getattr";
    report->dangerous_offset = vm->op_offset;
    return FTL_OK;
}
