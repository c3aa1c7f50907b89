/* A machine's beginning and end, and the pickle within a pickle. */
#include "pickle/vm.h"

void ftl_vm_init(ftl_vm *vm, ftl_pk_load *load, ftl_stream *stream, bool joblib)
{
    *vm = (ftl_vm){.load = load,
                   .arena = load->arena,
                   .error = load->error,
                   .stream = stream,
                   .joblib = joblib};
    vm->base = ftl_stream_offset(stream);
}

void ftl_vm_free(ftl_vm *vm)
{
    ftl_free(vm->load->account, vm->stack);
    ftl_free(vm->load->account, vm->marks);
    ftl_free(vm->load->account, vm->memo);
    ftl_free(vm->load->account, vm->line);
    vm->stack = vm->memo = NULL;
    vm->marks = NULL;
    vm->line = NULL;
}

ftl_status ftl_vm_run_nested(ftl_vm *vm, ftl_node **root)
{
    ftl_vm nested;
    ftl_vm_sync(vm);
    ftl_vm_init(&nested, vm->load, vm->stream, false);
    ftl_status status = vm->load->run(&nested, root);
    ftl_vm_sync(&nested);
    ftl_vm_free(&nested);
    vm->base = ftl_stream_offset(vm->stream);
    return status;
}
