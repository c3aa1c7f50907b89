#include "facts.h"

#include <string.h>

/* ---- Classes ------------------------------------------------------------------------------------- */

static PyObject *label_value(const ftl_label *label)
{
    switch (label->type) {
    case FTL_I64:
        return PyLong_FromLongLong(label->integer);
    case FTL_BOOL:
        return PyBool_FromLong(label->integer != 0);
    case FTL_F64:
        return PyFloat_FromDouble(label->number);
    default:
        return PyUnicode_DecodeUTF8(label->text, (Py_ssize_t)label->size, "surrogateescape");
    }
}

static PyObject *target_labels(const ftl_model *model, size_t target, const char **dtype)
{
    size_t n = ftl_model_class_count(model, target);
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < n; i++) {
        ftl_label label = {.struct_size = sizeof label};
        PyObject *value = ftl_model_class(model, target, i, &label) == FTL_OK ? label_value(&label)
                                                                              : NULL;
        *dtype = label.dtype;
        if (!value || PyList_Append(list, value) < 0)
            Py_CLEAR(list);
        Py_XDECREF(value);
    }
    return list;
}

/* A tuple of arrays, by foretell._results.classes. CatBoost's texts are objects. */
static PyObject *model_classes(const core_numpy *numpy, const ftl_model *model, bool catboost)
{
    size_t n = ftl_model_target_count(model);
    PyObject *all = PyTuple_New((Py_ssize_t)n);
    for (size_t i = 0; all && i < n; i++) {
        const char *dtype = NULL;
        PyObject *labels = target_labels(model, i, &dtype);
        if (catboost && PyList_Size(labels) > 0 && PyUnicode_Check(PyList_GetItem(labels, 0)))
            dtype = "object";
        PyObject *array = labels ? PyObject_CallFunction(numpy->classes, "(Oz)", labels, dtype)
                                 : NULL;
        Py_XDECREF(labels);
        if (!array || PyTuple_SetItem(all, (Py_ssize_t)i, array) < 0)
            Py_CLEAR(all);
    }
    return all;
}

/* ---- Schema -------------------------------------------------------------------------------------- */

static PyObject *column_facts(const ftl_schema_column *column)
{
    PyObject *name = column->name ? PyUnicode_FromString(column->name) : Py_NewRef(Py_None);
    return Py_BuildValue("(Niii)", name, (int)column->kind, (int)column->batch_type,
                         (int)column->missing);
}

/* ftl_text_fn: appends to a list. */
static bool add_part(void *user, const char *text, size_t size)
{
    PyObject *part = PyUnicode_DecodeUTF8(text, (Py_ssize_t)size, "replace");
    bool added = part && PyList_Append(user, part) == 0;
    Py_XDECREF(part);
    return added;
}

/* What the model is made of, as JSON. */
static PyObject *description(core_state *state, const ftl_model *model)
{
    PyObject *parts = PyList_New(0), *empty = PyUnicode_FromString(""), *text = NULL;
    ftl_error error;
    if (parts && empty) {
        if (ftl_model_describe(model, true, add_part, parts, &error) != FTL_OK)
            core_raise(state, &error, NULL);
        else
            text = PyUnicode_Join(empty, parts);
    }
    Py_XDECREF(parts);
    Py_XDECREF(empty);
    return text;
}

/* A foretell._inputs.Schema. */
static PyObject *model_schema(core_state *state, const ftl_model *model, core_facts *facts,
                              const ftl_model_info *info)
{
    PyObject *all = PyTuple_New((Py_ssize_t)facts->n_inputs);
    facts->numbers_only = true;
    for (size_t i = 0; all && i < facts->n_inputs; i++) {
        ftl_schema_column column = {.struct_size = sizeof column};
        if (ftl_model_input(model, i, &column) != FTL_OK)
            break;
        if (column.kind != FTL_KIND_UNUSED && column.batch_type != FTL_F64)
            facts->numbers_only = false;
        PyObject *row = column_facts(&column);
        if (!row || PyTuple_SetItem(all, (Py_ssize_t)i, row) < 0)
            Py_CLEAR(all);
    }
    PyObject *text = all ? description(state, model) : NULL;
    PyObject *schema = text ? PyObject_CallFunction(facts->numpy->schema, "OOOssO", all,
                                                    facts->has_names ? Py_True : Py_False,
                                                    facts->open_width ? Py_True : Py_False,
                                                    info->class_name, info->library, text)
                            : NULL;
    Py_XDECREF(all);
    Py_XDECREF(text);
    return schema;
}

/* ---- Methods ------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), wanted = strlen(end);
    return size >= wanted && strcmp(text + size - wanted, end) == 0;
}

/* A method whose single column is an array of one dimension. */
static bool is_vector_method(const char *class_name, ftl_method method)
{
    if (method == FTL_TRANSFORM || method == FTL_INVERSE_TRANSFORM)
        return ends_with(class_name, ".LabelEncoder") ||
               ends_with(class_name, ".IsotonicRegression");
    return method == FTL_PREDICT || method == FTL_DECISION_FUNCTION ||
           method == FTL_SCORE_SAMPLES || method == FTL_MARGIN;
}

static void method_facts(const ftl_model *model, const char *class_name, ftl_method method,
                         core_method_facts *out)
{
    size_t targets = ftl_model_target_count(model), floats = 0, texts = 0, ints = 0, bools = 0;
    out->count = ftl_model_output_count(model, method);
    for (size_t i = 0; i < out->count; i++) {
        ftl_output_column column = {.struct_size = sizeof column};
        if (ftl_model_output(model, method, i, &column) != FTL_OK)
            return;
        floats += column.type == FTL_F64 || column.type == FTL_F32;
        texts += column.type == FTL_STRING;
        ints += column.type == FTL_I64;
        bools += column.type == FTL_BOOL;
    }
    out->type = floats == out->count  ? "float64"
                : ints == out->count  ? "int64"
                : bools == out->count ? "bool"
                                      : "mixed";
    out->vector = out->count == 1 && is_vector_method(class_name, method) &&
                  !ftl_model_result_is_matrix(model, method);
    bool classes = method == FTL_PREDICT && targets > 0 && targets == out->count;
    if (classes)
        out->form = out->vector ? CORE_CLASSES : CORE_SHAPED;
    else if (texts)
        out->form = CORE_CELLS;
    else if (floats < out->count || targets > 1 || method == FTL_APPLY ||
             ftl_model_result_is_matrix(model, method))
        out->form = CORE_SHAPED;
    else
        out->form = CORE_NUMBERS;
}

/* ---- All of it ----------------------------------------------------------------------------------- */

void core_facts_drop(core_facts *facts)
{
    if (!facts || atomic_fetch_sub_explicit(&facts->references, 1, memory_order_acq_rel) != 1)
        return;
    Py_XDECREF(facts->classes);
    Py_XDECREF(facts->take);
    Py_XDECREF(facts->schema);
    PyMem_Free(facts);
}

static core_facts *find_out(core_state *state, const ftl_model *model)
{
    ftl_model_info info = {.struct_size = sizeof info};
    ftl_status status = ftl_model_get_info(model, &info);
    if (status != FTL_OK) {
        core_raise_status(state, status, "the model tells nothing of itself");
        return NULL;
    }
    const core_numpy *numpy = core_numpy_of(state);
    if (!numpy)
        return NULL;
    core_facts *facts = PyMem_Calloc(1, sizeof *facts);
    if (!facts) {
        PyErr_NoMemory();
        return NULL;
    }
    atomic_init(&facts->references, 1);
    facts->numpy = numpy;
    facts->n_inputs = info.n_inputs;
    facts->default_method = info.default_method;
    facts->open_width = info.open_width;
    facts->has_names = info.has_input_names;
    for (int m = 0; m < FTL_METHOD_COUNT; m++)
        method_facts(model, info.class_name, (ftl_method)m, &facts->methods[m]);
    facts->classes = model_classes(facts->numpy, model, strcmp(info.library, "CatBoost") == 0);
    facts->schema = PyErr_Occurred() ? NULL : model_schema(state, model, facts, &info);
    if (facts->classes && PyTuple_Size(facts->classes) > 0)
        facts->take = PyObject_GetAttrString(PyTuple_GetItem(facts->classes, 0), "take");
    if (PyErr_Occurred()) {
        core_facts_drop(facts);
        return NULL;
    }
    return facts;
}

/* ---- Facts of models that come again and again --------------------------------------------------- */

enum { MOST_KNOWN = 512 }; /* facts that a cache keeps */

static void drop_capsule(PyObject *capsule)
{
    core_facts_drop(PyCapsule_GetPointer(capsule, NULL));
}

/* Those of the model's serial; NULL: there are none, or an exception is set. */
static core_facts *recall(PyObject *known, PyObject *serial)
{
    PyObject *capsule = PyObject_GetItem(known, serial);
    if (!capsule) {
        if (PyErr_ExceptionMatches(PyExc_KeyError))
            PyErr_Clear();
        return NULL;
    }
    core_facts *facts = PyCapsule_GetPointer(capsule, NULL);
    atomic_fetch_add_explicit(&facts->references, 1, memory_order_relaxed);
    Py_DECREF(capsule);
    return facts;
}

static bool remember(PyObject *known, PyObject *serial, core_facts *facts)
{
    if (PyDict_Size(known) >= MOST_KNOWN)
        PyDict_Clear(known);
    PyObject *capsule = PyCapsule_New(facts, NULL, drop_capsule);
    if (!capsule)
        return false;
    atomic_fetch_add_explicit(&facts->references, 1, memory_order_relaxed);
    bool kept = PyDict_SetItem(known, serial, capsule) == 0;
    Py_DECREF(capsule);
    return kept;
}

/* A reference of the caller's. */
static core_facts *recall_or_find_out(core_state *state, core_model *model)
{
    if (!model->known)
        return find_out(state, model->model);
    PyObject *serial = PyLong_FromUnsignedLongLong(ftl_model_serial(model->model));
    core_facts *facts = serial ? recall(model->known, serial) : NULL;
    if (!facts && !PyErr_Occurred()) {
        facts = find_out(state, model->model);
        if (facts && !remember(model->known, serial, facts)) {
            core_facts_drop(facts);
            facts = NULL;
        }
    }
    Py_XDECREF(serial);
    return facts;
}

core_facts *core_facts_of(PyObject *self)
{
    core_model *model = (core_model *)self;
    core_facts *facts = atomic_load_explicit(&model->facts, memory_order_acquire);
    if (facts)
        return facts;
    facts = recall_or_find_out(core_state_of(self), model);
    core_facts *other = NULL;
    if (!facts || atomic_compare_exchange_strong(&model->facts, &other, facts))
        return facts;
    core_facts_drop(facts); /* another thread was first */
    return other;
}
