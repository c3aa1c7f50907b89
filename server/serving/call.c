#include "serving/call.h"

bool srv_call_fail(srv_call *call, const ftl_error *error, srv_result *result)
{
    call->failed = true;
    *result = srv_reply_failure(call->request, error);
    return false;
}

/* Would the request take longer than a loop may? */
static bool is_long(const srv_call *call)
{
    const srv_config *config = call->request->server->config;
    uint64_t cost = atomic_load_explicit(&call->model->picoseconds_per_byte, memory_order_relaxed);
    return cost * call->request->body.size > config->inline_us * UINT64_C(1000000);
}

/* A file that has changed is opened by the pool; requests go on with what was there. */
typedef struct model_renewal {
    uv_work_t work;
    srv_server *server;
    srv_model *model;
} model_renewal;

static void on_renew(uv_work_t *work)
{
    model_renewal *renewal = work->data;
    ftl_error error;
    ftl_error_clear(&error);
    ftl_cache_answer answer = {.struct_size = sizeof answer};
    if (renewal->model->state == SRV_MODEL_UNLOADED) /* meanwhile: it stays closed */
        return;
    if (srv_model_warm(renewal->server, renewal->model, &answer, &error) != FTL_OK)
        srv_log(renewal->server, "error", "model", "%s: %s", renewal->model->shown, error.message);
    else if (!answer.hit)
        srv_log(renewal->server, "info", "model", "%s: opened again in %.1f ms",
                renewal->model->shown, 1e3 * answer.load_seconds);
}

static void after_renew(uv_work_t *work, int status)
{
    model_renewal *renewal = work->data;
    (void)status;
    ftl_free(&renewal->server->account, renewal);
}

static void renew(srv_call *call)
{
    srv_server *server = call->request->server;
    model_renewal *renewal = ftl_alloc(&server->account, sizeof *renewal);
    if (!renewal)
        return;
    renewal->server = server;
    renewal->model = call->model;
    renewal->work.data = renewal;
    uv_queue_work(&call->request->loop->uv, &renewal->work, on_renew, after_renew);
}

/* A model that was taken out of service is not opened again by who asks for it. */
bool srv_model_in_service(srv_request *request, const srv_model *model, srv_result *result)
{
    int state = atomic_load_explicit(&model->state, memory_order_relaxed);
    if (FTL_LIKELY(state != SRV_MODEL_UNLOADED))
        return true;
    *result = srv_reply_error(request, 503,
                              "the model %s is unloaded; POST /v2/repository/models/%s/load loads "
                              "it",
                              model->shown, model->shown);
    return false;
}

/* The model of the cache; on the loop only one that is open. False: *result is the handler's. */
static bool take_model(srv_request *request, srv_model *model, bool use_cache,
                       ftl_cache_answer *answer, ftl_model **open, srv_result *result)
{
    const ftl_cache_get_options options = {
        .struct_size = sizeof options, .no_cache = !use_cache, .no_wait = request->on_loop};
    ftl_error error;
    ftl_error_clear(&error);
    if (!srv_model_in_service(request, model, result))
        return false;
    ftl_status status = FTL_END;
    if (use_cache || !request->on_loop)
        status = srv_model_take(request->server, model, &options, answer, open, &error);
    if (status == FTL_END) {
        *result = SRV_DEFER;
        return false;
    }
    srv_model_note_request(request->server, model, status, &error);
    if (status != FTL_OK)
        *result = srv_reply_failure(request, &error);
    return status == FTL_OK;
}

static bool get_model(srv_call *call, bool use_cache, srv_result *result)
{
    srv_request *request = call->request;
    call->answer.struct_size = sizeof call->answer;
    if (!take_model(request, call->model, use_cache, &call->answer, &call->open, result)) {
        call->failed = *result != SRV_DEFER;
        return false;
    }
    if (request->on_loop && call->answer.due)
        renew(call);
    return true;
}

bool srv_model_get(srv_request *request, srv_model *model, ftl_model **open, srv_result *result)
{
    return take_model(request, model, true, NULL, open, result);
}

static bool get_session(srv_call *call, srv_result *result)
{
    ftl_error error;
    ftl_plan *plan = NULL;
    ftl_error_clear(&error);
    const ftl_plan_options options = {.struct_size = sizeof options,
                                      .input_dtype = call->dtype,
                                      .methods = call->methods,
                                      .no_wait = call->request->on_loop};
    ftl_status status = ftl_model_plan(call->open, &options, &plan, &error);
    if (status == FTL_END) {
        *result = SRV_DEFER;
        return false;
    }
    if (status == FTL_OK) {
        status = ftl_plan_borrow(plan, &call->session, &error);
        ftl_plan_release(plan);
    }
    if (status != FTL_OK)
        return srv_call_fail(call, &error, result);
    return true;
}

bool srv_call_find(srv_call *call, srv_request *request, srv_model *model, bool use_cache,
                   srv_result *result)
{
    *call = (srv_call){.request = request, .model = model, .began = uv_hrtime()};
    request->model = model->shown;
    if (request->on_loop && is_long(call)) {
        *result = SRV_DEFER;
        return false;
    }
    if (!get_model(call, use_cache, result))
        return false;
    call->ready = uv_hrtime();
    return true;
}

bool srv_call_plan(srv_call *call, uint32_t methods, ftl_type dtype, srv_result *result)
{
    ftl_model_info info = {.struct_size = sizeof info};
    if (methods == SRV_DEFAULT_METHOD && ftl_model_get_info(call->open, &info) == FTL_OK)
        methods = 1u << info.default_method;
    call->methods = methods;
    call->dtype = dtype;
    if (!get_session(call, result))
        return false;
    if (!call->request->on_loop) /* the plan may have been made */
        call->ready = uv_hrtime();
    return true;
}

bool srv_call_open(srv_call *call, srv_request *request, srv_model *model, uint32_t methods,
                   bool use_cache, srv_result *result)
{
    return srv_call_find(call, request, model, use_cache, result) &&
           srv_call_plan(call, methods, FTL_F64, result);
}

bool srv_call_read(srv_call *call, const char *data, size_t size, const ftl_read_options *options,
                   size_t *taken, srv_result *result)
{
    ftl_error error;
    ftl_error_clear(&error);
    const srv_config *config = call->request->server->config;
    ftl_read_options limited = options ? *options : (ftl_read_options){0};
    limited.struct_size = sizeof limited;
    limited.max_rows = config->max_rows;
    limited.max_cells = config->max_cells;
    if (ftl_session_read(call->session, data, size, &limited, taken, &call->in, &error) != FTL_OK)
        return srv_call_fail(call, &error, result);
    return true;
}

bool srv_call_take(srv_call *call, const ftl_batch *rows, srv_result *result)
{
    const srv_config *config = call->request->server->config;
    size_t width = rows->matrix ? rows->matrix->columns : rows->n_columns;
    ftl_error error;
    call->in = *rows;
    if (config->max_rows && rows->rows > config->max_rows)
        ftl_error_set(&error, FTL_LIMIT, "there are %zu rows, and max-rows is %llu", rows->rows,
                      (unsigned long long)config->max_rows);
    else if (config->max_cells && width && rows->rows > config->max_cells / width)
        ftl_error_set(&error, FTL_LIMIT, "there are %zu x %zu cells, and max-cells is %llu",
                      rows->rows, width, (unsigned long long)config->max_cells);
    else
        return true;
    return srv_call_fail(call, &error, result);
}

bool srv_call_run(srv_call *call, srv_result *result)
{
    ftl_error error;
    ftl_error_clear(&error);
    call->parsed = uv_hrtime();
    call->request->rows = call->in.rows;
    if (ftl_session_run(call->session, call->methods, &call->in, &error) != FTL_OK)
        return srv_call_fail(call, &error, result);
    call->predicted = uv_hrtime();
    return true;
}

bool srv_call_output(srv_call *call, ftl_method method, ftl_batch *out, srv_result *result)
{
    ftl_error error;
    ftl_error_clear(&error);
    if (ftl_session_result(call->session, method, out, &error) != FTL_OK)
        return srv_call_fail(call, &error, result);
    return true;
}

double srv_call_predict_seconds(const srv_call *call)
{
    return 1e-9 * (double)(call->predicted - call->parsed);
}

/* A new observation counts for an eighth. */
static void learn_cost(srv_model *model, uint64_t nanoseconds, size_t bytes)
{
    uint64_t seen = 1000 * nanoseconds / (bytes ? bytes : 1);
    uint64_t before = atomic_load_explicit(&model->picoseconds_per_byte, memory_order_relaxed);
    atomic_store_explicit(&model->picoseconds_per_byte,
                          before ? before - before / 8 + seen / 8 : seen, memory_order_relaxed);
}

/* now: the same for all figures, so that sums of them agree */
static void count(const srv_call *call, srv_model_figures *figures, uint64_t now)
{
    atomic_fetch_add_explicit(&figures->requests, 1, memory_order_relaxed);
    if (!call->predicted) {
        atomic_fetch_add_explicit(&figures->failures, 1, memory_order_relaxed);
        return;
    }
    atomic_fetch_add_explicit(&figures->rows, call->in.rows, memory_order_relaxed);
    srv_histogram_add(&figures->queue, call->request->queue_seconds);
    srv_histogram_add(&figures->load, 1e-9 * (double)(call->ready - call->began));
    srv_histogram_add(&figures->parse, 1e-9 * (double)(call->parsed - call->ready));
    srv_histogram_add(&figures->predict, srv_call_predict_seconds(call));
    srv_histogram_add(&figures->format, 1e-9 * (double)(now - call->predicted));
    srv_histogram_add(&figures->total,
                      call->request->queue_seconds + 1e-9 * (double)(now - call->began));
}

void srv_call_close(srv_call *call)
{
    if (!call->model)
        return;
    if (call->failed || call->predicted) { /* not deferred */
        uint64_t now = uv_hrtime();
        count(call, &call->model->figures, now);
        count(call, &call->request->server->figures->models, now);
    }
    if (call->predicted) {
        call->request->compute_seconds += srv_call_predict_seconds(call);
        atomic_store_explicit(&call->model->last_used, call->predicted, memory_order_relaxed);
        learn_cost(call->model, uv_hrtime() - call->ready, call->request->body.size);
    }
    ftl_plan_return(call->session);
    ftl_model_release(call->open);
    *call = (srv_call){0};
}
