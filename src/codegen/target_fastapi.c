/* A FastAPI service of one model: a request with the model's own columns, beside the router. */
#include "codegen/script.h"

static const char head[] =
    "\"\"\"A service for one model: POST /predict with its columns by name, GET /health, "
    "documentation at /docs.\n"
    "\n"
    "    python THIS_FILE.py             or: uvicorn THIS_FILE:app\n"
    "\n"
    "Needs foretell, FastAPI and uvicorn, not the library that wrote the model. MODEL_PATH, HOST "
    "and PORT may stand\n"
    "in the environment. foretell's own endpoints are under /api/v1/inference.\n"
    "\"\"\"\n"
    "\n";

static const char notes[] =
    "#\n"
    "# What is optimised here:\n"
    "#   - the model is opened and made ready before the first request (lifespan)\n"
    "#   - it stays open in a cache, and a new version of its file is taken by itself\n"
    "#   - predictions run in threads, so that the event loop never waits\n"
    "\n"
    "import contextlib\n"
    "import os\n"
    "from typing import Any\n"
    "\n"
    "from fastapi import FastAPI, HTTPException\n"
    "from pydantic import BaseModel, ConfigDict, Field\n"
    "\n"
    "from foretell.errors import Error\n"
    "from foretell.fastapi import make_router, to_rows\n"
    "from foretell.inference import OptimizedPredictor\n"
    "\n";

static const char settings[] = "MODEL_NAME = os.path.basename(MODEL_PATH).partition(\".\")[0]\n"
                               "predictor = OptimizedPredictor(cache_size=5)\n"
                               "\n\n"
                               "@contextlib.asynccontextmanager\n"
                               "async def lifespan(_):\n"
                               "    \"\"\"Warm-up: requests are taken when the model is ready, and "
                               "not at all when it cannot be "
                               "opened.\"\"\"\n"
                               "    await predictor.awarmup(MODEL_PATH)\n"
                               "    yield\n"
                               "\n\n";

static const char named_row[] =
    "class Row(BaseModel):\n"
    "    \"\"\"One row: the model's columns by name. Others are passed over.\"\"\"\n"
    "\n"
    "    model_config = ConfigDict(populate_by_name=True, protected_namespaces=(), "
    "extra=\"ignore\")\n"
    "\n";

static const char plain_row[] =
    "# The model has no names for its columns: a row is a list of their values in order.\n"
    "Row = list[int | float | str | bool | None]\n";

static const char bodies[] = "\n\n"
                             "class PredictRequest(BaseModel):\n"
                             "    \"\"\"Rows for the model.\"\"\"\n"
                             "\n"
                             "    rows: list[Row]\n";

static const char probabilities_wanted[] = "    return_probabilities: bool = %s\n";

static const char answer[] = "\n\n"
                             "class PredictResponse(BaseModel):\n"
                             "    \"\"\"A value for each row.\"\"\"\n"
                             "\n"
                             "    predictions: list[Any]\n";

static const char answer_probabilities[] = "    probabilities: list[list[float | None]] | None = "
                                           "Field(None, description=\"in the order of "
                                           "classes\")\n"
                                           "    classes: list[Any] | None = None\n";

static const char routes[] =
    "    n_samples: int\n"
    "    inference_time_seconds: float\n"
    "\n\n"
    "app = FastAPI(title=MODEL_NAME, lifespan=lifespan, swagger_ui_parameters={\"filter\": "
    "True})\n"
    "app.include_router(make_router(predictor, models={MODEL_NAME: MODEL_PATH}), "
    "prefix=\"/api/v1/inference\")\n"
    "\n\n"
    "@app.post(\"/predict\", response_model_exclude_none=True)\n"
    "def predict(body: PredictRequest) -> PredictResponse:\n"
    "    \"\"\"What the model says of the rows.\"\"\"\n";

static const char health[] =
    "\n\n"
    "@app.get(\"/health\")\n"
    "def health() -> dict[str, Any]:\n"
    "    \"\"\"The service is up, and the model open.\"\"\"\n"
    "    stats = predictor.get_cache_stats()\n"
    "    return {\"status\": \"ok\", \"model\": MODEL_NAME, \"models_loaded\": "
    "stats[\"cache_size\"]}\n"
    "\n\n"
    "if __name__ == \"__main__\":\n"
    "    import uvicorn\n"
    "    uvicorn.run(app, host=os.environ.get(\"HOST\", \"127.0.0.1\"), "
    "port=int(os.environ.get(\"PORT\", \"8000\")))\n";

static const char *type_of(ftl_column_kind kind)
{
    switch (kind) {
    case FTL_KIND_NUMERIC:
        return "int | float";
    case FTL_KIND_STRING:
        return "str";
    case FTL_KIND_BOOL:
        return "bool";
    default:
        return "int | float | str | bool";
    }
}

static ftl_status write_fields(const ftl_generate_request *request, ftl_emitter *out,
                               ftl_error *error)
{
    ftl_arena arena;
    const char *const *fields = NULL;
    ftl_arena_init(&arena, request->account);
    ftl_status status = ftl_script_fields(request, &arena, &fields, error);
    for (size_t i = 0; status == FTL_OK && i < request->model->graph.n_inputs; i++) {
        ftl_schema_column column = {.struct_size = sizeof column};
        const char *name = ftl_script_input(request->model, 0, i);
        if (ftl_model_input(request->model, i, &column) != FTL_OK)
            continue;
        bool unused = column.kind == FTL_KIND_UNUSED, same = strcmp(fields[i], name) == 0;
        bool missing = unused || column.missing != FTL_MISSING_REFUSED;
        ftl_emitf(out, "    %s: %s%s", fields[i], type_of(column.kind), missing ? " | None" : "");
        if (unused || !same) {
            ftl_emit_text(out, " = Field(");
            ftl_emit_text(out, unused ? "None" : "");
            ftl_emit_text(out, unused && !same ? ", " : "");
            if (!same) {
                ftl_emit_text(out, "alias=");
                ftl_emit_py_string(out, name);
            }
            ftl_emit_text(out, ")");
        }
        ftl_emit_text(out, "\n");
    }
    ftl_arena_free(&arena);
    return status;
}

static void write_predict(const ftl_generate_request *request, ftl_emitter *out, bool by_name)
{
    ftl_method method = ftl_script_method(request);
    bool probabilities = ftl_script_has_probabilities(request);
    ftl_emitf(out, "    rows = %s\n",
              by_name ? "[row.model_dump(by_alias=True) for row in body.rows]" : "body.rows");
    ftl_emit_text(out, "    try:\n"
                       "        result = predictor.predict(model_path=MODEL_PATH, X=rows");
    if (method != request->model->default_method)
        ftl_emitf(out, ", method=\"%s\"", ftl_method_name(method));
    if (probabilities)
        ftl_emit_text(out, ", return_probabilities=body.return_probabilities");
    ftl_emit_text(
        out, ")\n"
             "    except Error as error:\n"
             "        raise HTTPException(422, str(error)) from None\n"
             "    answer = {\"predictions\": to_rows(result[\"predictions\"]), \"n_samples\": "
             "result[\"n_samples\"],\n"
             "              \"inference_time_seconds\": result[\"inference_time_seconds\"]}\n");
    if (probabilities)
        ftl_emit_text(out,
                      "    if body.return_probabilities:\n"
                      "        answer[\"probabilities\"] = to_rows(result[\"probabilities\"])\n"
                      "        answer[\"classes\"] = CLASSES\n");
    ftl_emit_text(out, "    return PredictResponse(**answer)\n");
}

static void write_label(ftl_emitter *out, const ftl_label *label, ftl_arena *arena)
{
    if (label->type == FTL_F64) {
        ftl_emitf(out, "%.17g", label->number);
    } else if (label->type == FTL_BOOL) {
        ftl_emit_text(out, label->integer ? "True" : "False");
    } else if (label->type == FTL_STRING) {
        const char *text = ftl_arena_string(arena, label->text, label->size);
        ftl_emit_py_string(out, text ? text : "");
    } else {
        ftl_emitf(out, "%lld", (long long)label->integer);
    }
}

static void write_classes(const ftl_generate_request *request, ftl_emitter *out)
{
    const ftl_model *model = request->model;
    ftl_arena arena;
    ftl_arena_init(&arena, request->account);
    size_t targets = ftl_model_target_count(model);
    ftl_emit_text(out, "CLASSES = [");
    for (size_t target = 0; target < targets; target++) {
        ftl_emit_text(out, targets > 1 ? (target ? ", [" : "[") : "");
        for (size_t i = 0; i < ftl_model_class_count(model, target); i++) {
            ftl_label label = {.struct_size = sizeof label};
            ftl_emit_text(out, i ? ", " : "");
            if (ftl_model_class(model, target, i, &label) == FTL_OK)
                write_label(out, &label, &arena);
        }
        ftl_emit_text(out, targets > 1 ? "]" : "");
    }
    ftl_emit_text(out, "]\n");
    ftl_arena_free(&arena);
}

static ftl_status write_fastapi(const ftl_generate_request *request, ftl_emitter *out,
                                ftl_error *error)
{
    bool by_name = false, probabilities = ftl_script_has_probabilities(request);
    if (request->plain)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "plain",
                               "options.plain is for the target python");
    FTL_TRY(ftl_script_by_name(request, &by_name, error));
    ftl_emit_text(out, head);
    ftl_script_facts(out, request, &ftl_comment_python);
    ftl_emit_text(out, notes);
    ftl_emit_text(out, "MODEL_PATH = os.environ.get(\"MODEL_PATH\", ");
    ftl_emit_py_string(out, request->model_path ? request->model_path : "model.joblib");
    ftl_emit_text(out, ")\n");
    if (probabilities)
        write_classes(request, out);
    ftl_emit_text(out, settings);
    if (by_name) {
        ftl_emit_text(out, named_row);
        FTL_TRY(write_fields(request, out, error));
    } else {
        ftl_emit_text(out, plain_row);
    }
    ftl_emit_text(out, bodies);
    if (probabilities)
        ftl_emitf(out, probabilities_wanted, request->probabilities ? "True" : "False");
    ftl_emit_text(out, answer);
    ftl_emit_text(out, probabilities ? answer_probabilities : "");
    ftl_emit_text(out, routes);
    write_predict(request, out, by_name);
    ftl_emit_text(out, health);
    return FTL_OK;
}

const ftl_target ftl_target_fastapi = {.name = "fastapi",
                                       .about = "a FastAPI service with the model's own columns",
                                       .write = write_fastapi};
