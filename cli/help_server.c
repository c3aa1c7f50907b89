/* What the commands around the server say of themselves. */
#include "cli.h"

const char cli_help_serve[] =
    "usage: foretell serve [MODEL_OR_DIR...] [options]\n"
    "\n"
    "Serves models over HTTP: `foretell serve model.joblib` alone is enough to start. It becomes\n"
    "foretell-server, which lies beside this program or in libexec; with --help that one lists "
    "its\n"
    "settings.\n";

#define REMOTE_OPTIONS                                                                     \
    "  --url URL           of the server (default: the environment's FORETELL_URL, else\n" \
    "                      http://127.0.0.1:8000); a key is taken from FORETELL_API_KEY\n" \
    "  --json              the server's answer as it came\n"

const char cli_help_stats[] =
    "usage: foretell stats [--url URL] [--json]\n"
    "\n"
    "What a running server's cache holds, how quick its predictions are, what its process takes.\n"
    "\n" REMOTE_OPTIONS;

const char cli_help_health[] =
    "usage: foretell health [--url URL] [--json] [--quiet]\n"
    "\n"
    "Whether a running server is ready: exit code 0. While it starts or ends, and when nothing\n"
    "answers, 4.\n"
    "\n" REMOTE_OPTIONS;

const char cli_help_load[] =
    "usage: foretell load MODEL... [--url URL] [--json] [--quiet]\n"
    "\n"
    "Has a running server open models, by name or by path beneath its model-root, so that the "
    "first\n"
    "request finds them ready.\n"
    "\n" REMOTE_OPTIONS;

const char cli_help_unload[] =
    "usage: foretell unload MODEL... | --all [--url URL] [--json] [--quiet]\n"
    "\n"
    "Has a running server close models, and give their memory back; the next request opens them\n"
    "again.\n"
    "\n" REMOTE_OPTIONS;

const char cli_help_verify[] =
    "usage: foretell verify MODEL [DATA] [options]\n"
    "       foretell verify --against URL MODEL ROWS.jsonl [options]\n"
    "\n"
    "Without --against: predicts the same rows here and with the library that wrote the model, in\n"
    "your Python, which needs that library and the foretell package; tells for each method "
    "whether\n"
    "the answers are the same, where they differ most, and how long both took. DATA is a table as\n"
    "foretell predict reads it; without it rows are made up from what the model says of its "
    "inputs.\n"
    "foretell opens MODEL first, and what it refuses is not loaded; then Python loads it, which\n"
    "EXECUTES what is in a pickle: verify your own models alone.\n"
    "\n"
    "  --python PROGRAM    the Python to run (default: that of the environment that foretell is\n"
    "                      installed in, else python3)\n"
    "  --method NAME       compare this method alone; may repeat (default: all that both have)\n"
    "  --rows N            rows to make up, or to read of DATA at most (default 1000)\n"
    "  --seed N            of the rows that are made up (default 0)\n"
    "  --tolerance T       numbers agree when they differ by at most T, relative to the larger of\n"
    "                      them and 1 (default 1e-9; 1e-5 where float32 is computed); labels "
    "agree\n"
    "                      when they are the same, or the scores of the two tie\n"
    "  --exact             agree only where every bit is the same\n"
    "  --execute-pickle    load it although the file names code that belongs to no model\n"
    "  --select KEY        of a file that holds a dict, list or tuple: this entry, or several "
    "that\n"
    "                      run one after another\n"
    "  --json              the report as one JSON object\n"
    "\n"
    "With --against: compares a service that runs already with this program: sends it the rows,\n"
    "predicts them here as well, and tells whether the answers are the same and how long both\n"
    "took. ROWS holds a JSON object a line, or an array where the model has no column names.\n"
    "\n"
    "  --against URL       of the service; with a path the requests go there, otherwise to the\n"
    "                      dialect's own\n"
    "  --dialect D         native: foretell's own API (default); v2: the Open Inference Protocol\n"
    "                      (Triton, MLServer, KServe); mlflow: /invocations; tf: TensorFlow\n"
    "                      Serving's :predict; plain: a list of rows in, a list of answers out\n"
    "  --name NAME         what the service calls the model (default: the name of MODEL's file;\n"
    "                      native: its path beneath the server's model-root, or its name)\n"
    "  --proba             compare probabilities as well (native), or instead (v2)\n"
    "  --rows N            rows in a request (default 1)\n"
    "  --limit N           read at most N rows\n"
    "  --tolerance T       numbers agree when they differ by at most T, relative to the larger\n"
    "                      (default 1e-9); texts agree when they are the same\n"
    "  --json              the report as one JSON object\n"
    "\n"
    "Exit code 0: they all agree; 5: some do not.\n";
