/*
 * Ctrl-C while a job waits for a slow pipe: nobody calls back then, so the signal's own handler
 * triggers the job's token, and the job ends at once. Python's handler runs as well and raises
 * KeyboardInterrupt when the job has ended.
 *
 * Signals belong to the process, and so does what is here: one job at a time has it, on the main
 * thread, and only while Python's own handler of SIGINT is in place.
 */
#include "core.h"

#include <signal.h>

static _Atomic(ftl_cancel *) interrupted; /* NULL: nobody has it */
static struct sigaction before;

static void on_interrupt(int number, siginfo_t *info, void *context)
{
    ftl_cancel *cancel = atomic_load(&interrupted);
    if (cancel)
        ftl_cancel_trigger(cancel);
    if (before.sa_flags & SA_SIGINFO)
        before.sa_sigaction(number, info, context);
    else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
        before.sa_handler(number);
}

bool core_interrupt_begin(ftl_cancel *cancel)
{
    PyObject *module = PyImport_ImportModule("foretell._context");
    PyObject *answer = module ? PyObject_CallMethod(module, "interruptible", NULL) : NULL;
    bool wanted = answer == Py_True;
    Py_XDECREF(module);
    Py_XDECREF(answer);
    PyErr_Clear();
    ftl_cancel *nobody = NULL;
    if (!wanted || !atomic_compare_exchange_strong(&interrupted, &nobody, cancel))
        return false;
    struct sigaction ours = {.sa_sigaction = on_interrupt, .sa_flags = SA_SIGINFO};
    sigemptyset(&ours.sa_mask);
    if (sigaction(SIGINT, NULL, &before) == 0 && sigaction(SIGINT, &ours, NULL) == 0)
        return true;
    atomic_store(&interrupted, NULL);
    return false;
}

void core_interrupt_end(void)
{
    struct sigaction now;
    /* Who has set another handler meanwhile keeps it. */
    if (sigaction(SIGINT, NULL, &now) == 0 && now.sa_flags & SA_SIGINFO &&
        now.sa_sigaction == on_interrupt)
        sigaction(SIGINT, &before, NULL);
    atomic_store(&interrupted, NULL);
}
