/*
 * The pickle machine's loop. Opcodes as CPython's Lib/pickletools.py documents them, protocols 0
 * to 5. Framing is read leniently, as CPython does: joblib puts raw array bytes between frames.
 */
#include "pickle/vm.h"

#include <pthread.h>

static ftl_vm_op table[256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void fill_table(void)
{
    ftl_vm_scalar_ops(table);
    ftl_vm_container_ops(table);
    ftl_vm_object_ops(table);
}

/* Runs one pickle up to STOP. */
static ftl_status run_pickle(ftl_vm *vm, ftl_node **root)
{
    while (!vm->stopped) {
        vm->op_offset = ftl_vm_offset(vm);
        uint8_t code;
        FTL_TRY(ftl_vm_u8(vm, &code));
        ftl_vm_op op = table[code];
        if (!op)
            return FTL_VM_FAIL(
                vm, FTL_CORRUPT,
                "byte 0x%02x is no pickle opcode: the file is damaged or is not a pickle", code);
        FTL_TRY(op(vm));
    }
    return ftl_vm_pop(vm, root);
}

/* An empty file has an error of its own. */
static ftl_status check_start(ftl_vm *vm)
{
    const uint8_t *data = NULL;
    size_t available = 0;
    FTL_TRY(ftl_stream_ahead(vm->stream, 1, &data, &available, vm->error));
    return available ? FTL_OK : FTL_FAIL_AT(vm->error, FTL_CORRUPT, 0, "the file is empty");
}

static ftl_status run(ftl_vm *vm, ftl_node **root)
{
    FTL_TRY(check_start(vm));
    FTL_TRY(run_pickle(vm, root));
    vm->load->report.bytes = ftl_vm_offset(vm);
    FTL_TRY(ftl_pk_remove_duplicates(vm->load));
    ftl_vm_sync(vm);
    const uint8_t *data = NULL;
    size_t available = 0;
    FTL_TRY(ftl_stream_ahead(vm->stream, 1, &data, &available, vm->error));
    vm->load->report.trailing = available > 0;
    return FTL_OK;
}

ftl_status ftl_pickle_load(ftl_stream *stream, ftl_arena *arena, const ftl_pickle_options *options,
                           ftl_node **root, ftl_error *error)
{
    static const ftl_pickle_options defaults;
    options = options ? options : &defaults;
    pthread_once(&table_once, fill_table);
    ftl_error ignored;
    ftl_pk_load load = {
        .arena = arena,
        .account = arena->account,
        .options = options,
        .max_objects = options->max_objects ? options->max_objects : 50000000,
        .max_depth = options->max_depth ? options->max_depth : 500,
        .error = error ? error : &ignored,
        .run = run_pickle,
    };
    load.budget = options->budget ? options->budget : &load.own_budget;
    ftl_vm vm;
    ftl_vm_init(&vm, &load, stream, true);
    ftl_node *result = NULL;
    ftl_status status = run(&vm, &result);
    if (status != FTL_OK)
        ftl_error_at(load.error, (int64_t)ftl_vm_offset(&vm));
    ftl_vm_sync(&vm);
    ftl_vm_free(&vm);
    ftl_free(load.account, load.dicts);
    load.report.foreign = load.foreign;
    if (options->report)
        *options->report = load.report;
    if (status != FTL_OK)
        return status;
    *root = result;
    return FTL_OK;
}
