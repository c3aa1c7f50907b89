/* A script that predicts a file batch by batch: by foretell, or as joblib and pandas do it. */
#include "codegen/script.h"

#include <stdio.h>

enum { usual_rows = 5000, plain_rows = 1000 };

/* ---- Both ------------------------------------------------------------------------------------ */

static void write_paths(const ftl_generate_request *request, ftl_emitter *out)
{
    const char *model = request->model_path, *data = request->data_path;
    const char *output = request->output_path;
    ftl_emit_py_constant(out, "MODEL_PATH", model ? model : "model.joblib");
    ftl_emit_py_constant(out, "DATA_PATH", data ? data : "data.csv");
    ftl_emit_py_constant(out, "OUTPUT_PATH", output ? output : "predictions.csv");
}

static const char arguments[] =
    "\n\n"
    "def positive(text):\n"
    "    \"\"\"A number of rows of the command line.\"\"\"\n"
    "    if not text.isdigit() or int(text) == 0:\n"
    "        raise argparse.ArgumentTypeError(f\"'{text}' is not a number of rows above 0\")\n"
    "    return int(text)\n"
    "\n\n"
    "def parse_arguments(arguments=None):\n"
    "    \"\"\"What the command line says.\"\"\"\n"
    "    parser = argparse.ArgumentParser(description=\"Predicts a file, batch by batch.\")\n"
    "    parser.add_argument(\"--model\", default=MODEL_PATH, help=\"the model file "
    "(%(default)s)\")\n"
    "    parser.add_argument(\"--data\", default=DATA_PATH, help=\"the rows (%(default)s)\")\n"
    "    parser.add_argument(\"--output\", default=OUTPUT_PATH, help=\"the predictions "
    "(%(default)s)\")\n"
    "    parser.add_argument(\"--batch-size\", type=positive, default=BATCH_SIZE,\n"
    "                        help=\"rows that are computed together (%(default)s)\")\n";

static const char probability_argument[] =
    "    parser.add_argument(\"--probabilities\", action=argparse.BooleanOptionalAction,\n"
    "                        default=PROBABILITIES, help=\"a column for each class beside the "
    "predictions\")\n";

static const char main_function[] =
    "    parser.add_argument(\"-q\", \"--quiet\", action=\"store_true\", help=\"no messages but "
    "errors\")\n"
    "    return parser.parse_args(arguments)\n"
    "\n\n"
    "def main(arguments=None):\n"
    "    \"\"\"The exit code: 0, or 1 when something went wrong.\"\"\"\n"
    "    options = parse_arguments(arguments)\n"
    "    logging.basicConfig(level=logging.WARNING if options.quiet else logging.INFO,\n"
    "                        format=\"%(asctime)s %(levelname)s %(message)s\")\n"
    "    try:\n"
    "        run(options)\n"
    "    except EXPECTED as error:\n"
    "        logger.error(\"%s\", error)\n"
    "        return 1\n"
    "    return 0\n"
    "\n\n"
    "if __name__ == \"__main__\":\n"
    "    sys.exit(main())\n";

static void write_end(const ftl_generate_request *request, ftl_emitter *out)
{
    ftl_emit_text(out, arguments);
    if (ftl_script_has_probabilities(request))
        ftl_emit_text(out, probability_argument);
    ftl_emit_text(out, main_function);
}

static void write_probabilities(const ftl_generate_request *request, ftl_emitter *out)
{
    if (ftl_script_has_probabilities(request))
        ftl_emitf(out, "PROBABILITIES = %s\n", request->probabilities ? "True" : "False");
}

/* ---- By foretell ----------------------------------------------------------------------------- */

static const char optimized_head[] =
    "#!/usr/bin/env python3\n"
    "\"\"\"Predicts a file with a saved model: use_optimized_inference=True.\n"
    "\n"
    "Needs foretell alone, not the library that wrote the model. --help tells the options.\n"
    "\"\"\"\n"
    "\n";

static const char optimized_notes[] =
    "#\n"
    "# What is optimised here, beside a script of joblib and pandas:\n"
    "#   - the model stays open in a cache; other calls of this process find it there\n"
    "#   - the file is read, predicted and written by all CPUs at once, without data frames\n"
    "#   - batches are of 5000 rows instead of 1000: fewer steps, and still little memory\n"
    "#   - memory stays the same however large the file is; formats are told by the names\n"
    "#   - the output appears when it is complete; a failed run leaves none\n"
    "\n"
    "import argparse\n"
    "import logging\n"
    "import sys\n"
    "\n"
    "from foretell.errors import Error\n"
    "from foretell.inference import get_optimized_predictor\n"
    "\n";

static const char optimized_settings[] =
    "# 1000 where memory is short, 5000 as it is, 10000 and more for throughput\n";

static const char optimized_run[] =
    "EXPECTED = (Error, OSError)\n"
    "logger = logging.getLogger(\"predict\")\n"
    "\n\n"
    "def run(options):\n"
    "    \"\"\"Predicts the file.\"\"\"\n"
    "    predictor = get_optimized_predictor()\n"
    "    # Warm-up: the model is opened and made ready before the first row is read.\n"
    "    warmed = predictor.warmup(options.model)[\"models\"][0]\n"
    "    logger.info(\"%s: open after %.1f ms\", options.model, 1e3 * "
    "warmed[\"load_time_seconds\"])\n"
    "    result = predictor.predict_batch(\n"
    "        model_path=options.model,\n"
    "        data_path=options.data,\n"
    "        output_path=options.output,\n"
    "        batch_size=options.batch_size,\n";

static const char optimized_report[] =
    "        progress=False if options.quiet else None,  # a bar where somebody looks\n"
    "    )\n"
    "    metrics = result.metrics\n"
    "    logger.info(\"%s: %d rows in %d batches, %.3f s, %.0f rows a second\", options.output, "
    "metrics[\"rows\"],\n"
    "                metrics[\"n_batches\"], metrics[\"seconds\"], "
    "metrics[\"rows_per_second\"])\n";

static void write_optimized(const ftl_generate_request *request, ftl_emitter *out)
{
    ftl_method method = ftl_script_method(request);
    ftl_emit_text(out, optimized_head);
    ftl_script_facts(out, request, &ftl_comment_python);
    ftl_emit_text(out, optimized_notes);
    write_paths(request, out);
    ftl_emit_text(out, optimized_settings);
    ftl_emitf(out, "BATCH_SIZE = %u\n", request->batch_size ? request->batch_size : usual_rows);
    write_probabilities(request, out);
    ftl_emit_text(out, optimized_run);
    if (method != request->model->default_method)
        ftl_emitf(out, "        method=\"%s\",\n", ftl_method_name(method));
    if (ftl_script_has_probabilities(request))
        ftl_emit_text(out, "        return_probabilities=options.probabilities,\n");
    ftl_emit_text(out, optimized_report);
    write_end(request, out);
}

/* ---- By the library that wrote the model ----------------------------------------------------- */

static const char plain_head[] =
    "#!/usr/bin/env python3\n"
    "\"\"\"Predicts a file with a saved model: use_optimized_inference=False.\n"
    "\n"
    "Needs joblib, pandas and the library that wrote the model. joblib.load executes what is in "
    "the\n"
    "file: only for files of your own. --help tells the options.\n"
    "\"\"\"\n"
    "\n";

static const char plain_imports[] = "\n"
                                    "import argparse\n"
                                    "import logging\n"
                                    "import os\n"
                                    "import sys\n"
                                    "import time\n"
                                    "\n"
                                    "import joblib\n"
                                    "import numpy as np\n"
                                    "import pandas as pd\n"
                                    "\n";

static const char plain_load_xgboost[] =
    "\n\n"
    "def load(path):\n"
    "    \"\"\"The model of a pickle, or of a file of XGBoost's own.\"\"\"\n"
    "    if not path.endswith((\".json\", \".ubj\")):\n"
    "        return joblib.load(path)\n"
    "    import xgboost\n"
    "    model = xgboost.%s()\n"
    "    model.load_model(path)\n"
    "    return model\n";

static const char plain_load[] = "\n\n"
                                 "def load(path):\n"
                                 "    \"\"\"The model.\"\"\"\n"
                                 "    return joblib.load(path)\n";

static const char plain_chunks[] =
    "\n\n"
    "def read_chunks(path, size):\n"
    "    \"\"\"Data frames of so many rows. Parquet comes as a whole.\"\"\"\n"
    "    if path.endswith(\".parquet\"):\n"
    "        table = pd.read_parquet(path)\n"
    "        yield from (table.iloc[start:start + size] for start in range(0, len(table), size))\n"
    "    elif path.endswith((\".jsonl\", \".ndjson\")):\n"
    "        yield from pd.read_json(path, lines=True, chunksize=size)\n"
    "    else:\n"
    "        yield from pd.read_csv(path, chunksize=size)\n"
    "\n\n"
    "def frame(values, names):\n"
    "    \"\"\"A method's results, or those of several targets, as columns.\"\"\"\n"
    "    if isinstance(values, list):\n"
    "        values = np.hstack(values)\n"
    "    if hasattr(values, \"toarray\"):\n"
    "        values = values.toarray()\n"
    "    values = np.asarray(values)\n"
    "    return pd.DataFrame(values.reshape(len(values), len(names)), columns=names)\n";

static const char plain_run_head[] =
    "\n\n"
    "def run(options):\n"
    "    \"\"\"Predicts the file; the output appears when it is complete.\"\"\"\n"
    "    model = load(options.model)\n"
    "    began, rows = time.perf_counter(), 0\n"
    "    unfinished = options.output + \".part\"\n"
    "    try:\n"
    "        for chunk in read_chunks(options.data, options.batch_size):\n";

static const char plain_run_tail[] =
    "            table.to_csv(unfinished, mode=\"a\" if rows else \"w\", header=not rows, "
    "index=False)\n"
    "            rows += len(chunk)\n"
    "        if not rows:\n"
    "            raise ValueError(f\"{options.data}: there are no rows\")\n"
    "        os.replace(unfinished, options.output)\n"
    "    finally:\n"
    "        if os.path.exists(unfinished):\n"
    "            os.remove(unfinished)\n"
    "    seconds = time.perf_counter() - began\n"
    "    logger.info(\"%s: %d rows, %.3f s, %.0f rows a second\", options.output, rows, seconds, "
    "rows / seconds)\n";

/* Whether the object in the file has scikit-learn's methods. */
static ftl_status check_plain(const ftl_generate_request *request, ftl_error *error)
{
    const ftl_model *model = request->model;
    ftl_model_info info = {.struct_size = sizeof info};
    FTL_TRY(ftl_model_get_info(model, &info));
    const char *name = strrchr(info.class_name, '.');
    name = name ? name + 1 : info.class_name;
    bool own = strcmp(name, "Booster") == 0 || strcmp(name, "CatBoost") == 0;
    ftl_method method = ftl_script_method(request);
    if (own || method == FTL_MARGIN || method == FTL_KNEIGHBORS || method == FTL_INVERSE_TRANSFORM)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "a plain script calls methods as scikit-learn names them, and %s has no %s "
                        "of that kind; leave plain out",
                        name, ftl_method_name(method));
    if (info.parts || model->selected || model->labels_used)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "a plain script calls the object in the file, and the model is only a part "
                        "of it, or more; leave plain out");
    return FTL_OK;
}

static void write_plain_load(const ftl_generate_request *request, ftl_emitter *out)
{
    static const char *const wrappers[] = {"XGBClassifier", "XGBRegressor", "XGBRFClassifier",
                                           "XGBRFRegressor", "XGBRanker"};
    const char *name = strrchr(request->model->class_name, '.');
    bool is = strcmp(request->model->library, "XGBoost") == 0 && name;
    for (size_t i = 0; is && i < FTL_ARRAY_LEN(wrappers); i++) {
        if (strcmp(name + 1, wrappers[i]) != 0)
            continue;
        char text[sizeof plain_load_xgboost + 40];
        snprintf(text, sizeof text, plain_load_xgboost, wrappers[i]);
        ftl_emit_text(out, text);
        return;
    }
    ftl_emit_text(out, plain_load);
}

static ftl_status write_plain(const ftl_generate_request *request, ftl_emitter *out,
                              ftl_error *error)
{
    const ftl_model *model = request->model;
    ftl_method method = ftl_script_method(request);
    bool probabilities = ftl_script_has_probabilities(request);
    FTL_TRY(check_plain(request, error));
    ftl_emit_text(out, plain_head);
    ftl_script_facts(out, request, &ftl_comment_python);
    ftl_emit_text(out, plain_imports);
    write_paths(request, out);
    ftl_emitf(out, "BATCH_SIZE = %u\n", request->batch_size ? request->batch_size : plain_rows);
    write_probabilities(request, out);
    if (model->has_input_names)
        ftl_emit_py_names(out, "COLUMNS", model, 0, model->graph.n_inputs, ftl_script_input);
    ftl_emit_py_names(out, "OUTPUTS", model, method, ftl_model_output_count(model, method),
                      ftl_script_output);
    if (probabilities)
        ftl_emit_py_names(out, "PROBABILITY_OUTPUTS", model, FTL_PREDICT_PROBA,
                          ftl_model_output_count(model, FTL_PREDICT_PROBA), ftl_script_output);
    ftl_emit_text(out, "EXPECTED = (OSError, ValueError, KeyError)\n"
                       "logger = logging.getLogger(\"predict\")\n");
    write_plain_load(request, out);
    ftl_emit_text(out, plain_chunks);
    ftl_emit_text(out, plain_run_head);
    bool texts = model->graph.n_inputs == 1 && model->first_text_input == 0;
    ftl_emitf(out, "            inputs = chunk%s\n",
              model->has_input_names ? "[COLUMNS]"
              : texts                ? ".iloc[:, 0]" /* texts alone: vectorizers take a list */
                                     : ".to_numpy()");
    ftl_emitf(out, "            table = frame(model.%s(inputs), OUTPUTS)\n",
              ftl_method_name(method));
    if (probabilities)
        ftl_emit_text(out, "            if options.probabilities:\n"
                           "                probabilities = frame(model.predict_proba(inputs), "
                           "PROBABILITY_OUTPUTS)\n"
                           "                table = pd.concat([table, probabilities], axis=1)\n");
    ftl_emit_text(out, plain_run_tail);
    write_end(request, out);
    return FTL_OK;
}

static ftl_status write_python(const ftl_generate_request *request, ftl_emitter *out,
                               ftl_error *error)
{
    if (request->plain)
        return write_plain(request, out, error);
    write_optimized(request, out);
    return FTL_OK;
}

const ftl_target ftl_target_python = {
    .name = "python",
    .about = "a script that predicts a file batch by batch; plain: by joblib and pandas",
    .write = write_python};
