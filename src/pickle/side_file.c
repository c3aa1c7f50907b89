/*
 * Side files of joblib up to 0.9. The pickle names them; only a bare name in the model's own folder
 * is opened, so that a file cannot make the program read another place.
 */
#include "pickle/side_file.h"

#include "io/codec.h"
#include "pickle/npy_header.h"

static ftl_status check_name(ftl_vm *vm, const ftl_node *node, const char **out)
{
    const ftl_node *name = ftl_node_attr(node, "filename");
    if (!name || name->kind != FTL_NODE_STR || name->u.str.size == 0 ||
        memchr(name->u.str.data, 0, name->u.str.size))
        return FTL_VM_FAIL(
            vm, FTL_CORRUPT,
            "an array is kept in another file, but its name is missing: the file is damaged");
    const char *text = name->u.str.data;
    if (strchr(text, '/') || strchr(text, '\\') || strcmp(text, ".") == 0 ||
        strcmp(text, "..") == 0)
        return FTL_VM_FAIL(vm, FTL_FORBIDDEN,
                           "the model asks for the file \"%s\" outside of its folder", text);
    if (!vm->load->options->folder)
        return FTL_VM_FAIL(
            vm, FTL_UNSUPPORTED,
            "the model keeps an array in the file \"%s\" beside it: open the model by its path",
            text);
    *out = text;
    return FTL_OK;
}

/*
 * The report's list says which files were read. joblib writes a file for each array; a model that
 * names one again and again multiplies it.
 */
static ftl_status note_side(ftl_vm *vm, const char *name)
{
    ftl_pickle_report *report = &vm->load->report;
    for (const ftl_side_name *other = report->side_files; other; other = other->next) {
        FTL_TRY(ftl_vm_spend(vm, 8));
        if (strcmp(other->name, name) == 0)
            return FTL_VM_FAIL(vm, FTL_CORRUPT,
                               "the model names the file \"%s\" for two arrays: it is damaged",
                               name);
    }
    ftl_side_name *side = FTL_ARENA_NEW(vm->arena, ftl_side_name);
    if (!side)
        return FTL_OOM(vm->error);
    *side = (ftl_side_name){name, report->side_files};
    report->side_files = side;
    return FTL_OK;
}

static ftl_status open_side(ftl_vm *vm, const char *name, ftl_stream **out)
{
    uint64_t size = 0;
    FTL_TRY(note_side(vm, name));
    const char *path = ftl_arena_printf(vm->arena, "%s/%s", vm->load->options->folder, name);
    if (!path)
        return FTL_OOM(vm->error);
    FTL_TRY(ftl_stream_open_regular(vm->load->account, path, out, &size, vm->error));
    vm->load->side_bytes += size;
    return FTL_OK;
}

/* Bytes that compressed side files may still decode to: the rule of the model itself, for all of
 * them together. Never 0, which would be no limit. */
static uint64_t decoded_left(const ftl_pk_load *load)
{
    uint64_t all = ftl_codec_budget(load->side_bytes, load->options->max_side_bytes);
    return all > load->side_decoded ? all - load->side_decoded : 1;
}

/* side: a machine on the side file. */
static ftl_status read_npy(ftl_vm *side, ftl_pk_array **out)
{
    ftl_node node;
    FTL_TRY(ftl_vm_become_array(side, &node, out));
    FTL_TRY(ftl_vm_npy_header(side, &(*out)->array));
    if (!((const ftl_pk_dtype *)(const void *)(*out)->array.dtype)->has_object)
        return ftl_vm_array_read(side, *out);
    ftl_node *root;
    FTL_TRY(ftl_vm_run_nested(side, &root)); /* np.save pickles object arrays behind the header */
    if (!ftl_node_array_built(root))
        return FTL_VM_FAIL(side, FTL_CORRUPT,
                           "an .npy file of objects holds no array: the file is damaged");
    *out = (ftl_pk_array *)(void *)root->u.array;
    return FTL_OK;
}

ftl_status ftl_vm_side_npy(ftl_vm *vm, ftl_node *node)
{
    const char *name;
    ftl_stream *stream = NULL;
    ftl_pk_array *array = NULL;
    FTL_TRY(check_name(vm, node, &name));
    FTL_TRY(open_side(vm, name, &stream));
    ftl_vm side;
    ftl_vm_init(&side, vm->load, stream, false);
    ftl_status status = read_npy(&side, &array);
    ftl_vm_free(&side);
    ftl_stream_close(stream);
    if (status != FTL_OK) {
        ftl_error_in(vm->error, name);
        return status;
    }
    node->kind = FTL_NODE_ARRAY;
    node->u.array = &array->array;
    return FTL_OK;
}

/* state is (version, shape, dtype, is Fortran); the compressed file holds the data alone. */
static ftl_status read_z(ftl_vm *vm, const ftl_node *node, const char *name, ftl_pk_array *array)
{
    const ftl_node *state = ftl_node_attr(node, "state");
    bool fortran;
    if (!state || state->kind != FTL_NODE_TUPLE || state->u.seq.size != 4 ||
        !ftl_node_as_bool(state->u.seq.items[3], &fortran))
        return FTL_VM_FAIL(
            vm, FTL_CORRUPT,
            "the state of a numpy array in another file is incomplete: the file is damaged");
    FTL_TRY(ftl_vm_array_shape(vm, &array->array, state->u.seq.items[2], state->u.seq.items[1]));
    array->array.fortran = fortran && array->array.ndim > 1;
    if (((const ftl_pk_dtype *)(const void *)array->array.dtype)->has_object)
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "an array of objects has no data in another file: the file is damaged");
    ftl_stream *stream = NULL;
    FTL_TRY(open_side(vm, name, &stream));
    ftl_vm side;
    ftl_status status = ftl_codec_decode(vm->load->account, &stream, decoded_left(vm->load), NULL,
                                         0, vm->error);
    if (status == FTL_OK) {
        ftl_vm_init(&side, vm->load, stream, false);
        status = ftl_vm_array_read(&side, array);
        vm->load->side_decoded += ftl_vm_offset(&side);
        ftl_vm_free(&side);
    }
    ftl_stream_close(stream);
    return status;
}

ftl_status ftl_vm_side_z(ftl_vm *vm, ftl_node *node)
{
    const char *name;
    ftl_node made;
    ftl_pk_array *array;
    FTL_TRY(check_name(vm, node, &name));
    FTL_TRY(ftl_vm_become_array(vm, &made, &array));
    ftl_status status = read_z(vm, node, name, array);
    if (status != FTL_OK) {
        ftl_error_in(vm->error, name);
        return status;
    }
    node->kind = FTL_NODE_ARRAY;
    node->u.array = &array->array;
    return FTL_OK;
}
