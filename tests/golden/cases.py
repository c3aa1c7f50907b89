"""Train the golden models in the running environment and record what it says about them.

    cases.py FOLDER MODULE...

Runs on Python 3.6+ with scikit-learn 0.20 to the newest.  The families of cases are the modules case_*.py; this file
is the recorder.  FOLDER gets manifest.json, models/, inputs/ and expected/; README.md describes them.
"""
import importlib
import io
import json
import math
import os
import pickle
import sys
import traceback
import warnings

import numpy as np
import pandas as pd
import scipy
import scipy.sparse
import sklearn
from sklearn.base import is_classifier, is_regressor

import case_data
import meta_facts
import missed_facts
import vector_facts

warnings.simplefilter("ignore")

VERSION = tuple(int(n) for n in sklearn.__version__.split(".")[:2])
NEWEST = (1, 9)

if VERSION < (0, 21):
    from sklearn.externals import joblib as vendored_joblib
else:
    vendored_joblib = None
import joblib  # noqa: E402

# How models are written, in turn.  Plain forms outnumber compressed ones because the archive as a whole is
# compressed, and far better so.
FORMS = ["joblib", "pickle2", "joblib", "pickle4", "joblib", "zlib", "joblib", "pickle3", "joblib", "pickle5",
         "vendored", "gzip", "joblib", "pickle0", "joblib", "xz", "pickle4", "joblib", "pickle1", "bz2", "joblib",
         "pickle2", "vendored", "lzma", "joblib", "pickle5", "joblib", "lz4", "joblib", "pickle3"]

METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "score_samples",
           "apply", "margin", "kneighbors"]

# Packages whose models have a scale of their own, transformers too.
DENSE = ("sklearn.naive_bayes", "sklearn.neural_network", "sklearn.cluster", "sklearn.decomposition")

FORESTS = ("DecisionTree", "ExtraTree", "RandomForest")


def scalar(value):
    """One value as JSON has it; float32 by its own shortest digits."""
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, np.float32):
        return float(str(value))
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, float):
        return value
    if value is pd.NA if hasattr(pd, "NA") else False:
        return math.nan
    raise TypeError("cannot record %r" % (value,))


def encode(result):
    """The JSON form of a method's result: {dtype, shape, values} or {list: [...]} for multi-output probabilities."""
    if isinstance(result, list):
        return {"list": [encode(item) for item in result]}
    if scipy.sparse.issparse(result):
        result = result.toarray()
    if isinstance(result, (pd.DataFrame, pd.Series)):
        result = result.to_numpy()
    result = np.asarray(result)
    if result.dtype.kind in "OUS" or result.dtype.kind == "T":
        result = result.astype(object)
    return {"dtype": str(result.dtype), "shape": list(result.shape), "values": [scalar(v) for v in result.ravel()]}


def final_step(model):
    """(the estimator that produces the output, what turns the input into its input)."""
    name = type(model).__name__
    if name.endswith("SearchCV"):
        return final_step(model.best_estimator_)
    if name == "FrozenEstimator":
        return final_step(model.estimator)
    if name in ("Pipeline", "PMMLPipeline"):
        steps = [step for _, step in model.steps if step is not None and step != "passthrough"]

        if not steps:
            return model, lambda x: x
        last, inside = final_step(steps[-1])

        def before(x):
            for step in steps[:-1]:
                x = step.transform(x) if hasattr(step, "transform") else x  # samplers only matter while fitting
            return inside(x)
        return last, before
    return model, lambda x: x


def dense_scale(last, x):
    """The sums of magnitudes behind naive Bayes, networks, clusters and projections, or None for other classes."""
    name, x = type(last).__name__, np.abs(x.astype(float))
    if name == "GaussianNB":
        spread = last.var_ if hasattr(last, "var_") else last.sigma_
        return sum(((x[:, [j]] + np.abs(last.theta_[:, j])) ** 2 / spread[:, j]) for j in range(x.shape[1]))
    if name in ("MultinomialNB", "ComplementNB"):
        return x.dot(np.abs(last.feature_log_prob_).T) + np.abs(last.class_log_prior_)
    if name == "BernoulliNB":
        x = x if last.binarize is None else np.ones(x.shape)
        negative = np.abs(np.log(1 - np.exp(last.feature_log_prob_)))
        return x.dot(np.abs(last.feature_log_prob_).T + negative.T) + negative.sum(axis=1)
    if name.startswith("MLP"):
        for weights, bias in zip(last.coefs_, last.intercepts_):
            x = x.dot(np.abs(weights)) + np.abs(bias)
        return x
    if name in ("KMeans", "MiniBatchKMeans"):
        return (x ** 2).sum(axis=1, keepdims=True) + (last.cluster_centers_ ** 2).sum(axis=1).max()
    if name in ("PCA", "IncrementalPCA", "TruncatedSVD"):
        x = x + np.abs(last.mean_) if getattr(last, "mean_", None) is not None else x
        total = x.dot(np.abs(last.components_).T)
        if not getattr(last, "whiten", False):
            return total
        deviation = np.sqrt(last.explained_variance_)
        return total / np.maximum(deviation, np.finfo(deviation.dtype).eps)
    return None


def rounded_scale(total):
    return [float("%.3g" % v) for v in total.max(axis=1)]


def linear_scale(model, x, method=None):
    """Per row, the largest sum of |w x| + |b| over the outputs: what float64 sums are compared against. Of a few classes
    it depends on the method."""
    last, before = final_step(model)
    if missed_facts.threshold_child(last) is not None:
        return linear_scale(missed_facts.threshold_child(last), before(x), method)
    with np.errstate(all="ignore"):
        total = missed_facts.scale(last, before(x), method)
    if total is not None:
        return rounded_scale(total)
    if meta_facts.is_meta(last):
        with np.errstate(all="ignore"):
            return meta_facts.scale(last, before(x), linear_scale)
    if vector_facts.is_svm(last) or vector_facts.is_neighbors(last):
        with np.errstate(all="ignore"):
            return rounded_scale(vector_facts.scale(last, before(x)).reshape(-1, 1))
    if type(last).__module__.startswith(DENSE):
        x = before(x)
        with np.errstate(all="ignore"):
            total = dense_scale(last, x.toarray() if scipy.sparse.issparse(x) else np.asarray(x))
        return None if total is None else rounded_scale(total)
    if hasattr(last, "transform"):
        return None
    constant = getattr(last, "intercept_", getattr(last, "offset_", None))
    if not hasattr(last, "coef_") or constant is None:
        return None
    x = before(x)
    x = x.toarray() if scipy.sparse.issparse(x) else np.asarray(x)
    if type(last).__module__.startswith("xgboost."):
        x = np.nan_to_num(x)  # missing values add nothing
    coef = np.atleast_2d(last.coef_.toarray() if scipy.sparse.issparse(last.coef_) else last.coef_)
    with np.errstate(all="ignore"):
        total = np.abs(x.astype(float)).dot(np.abs(coef).T) + np.abs(constant)
    return rounded_scale(total)


def kind_of(last):
    if type(last).__name__ in ("Booster", "CatBoost", "CatBoostRanker"):
        return "regressor"
    if is_classifier(last) or type(last).__name__ in ("IsolationForest", "LocalOutlierFactor"):  # 1 and -1 by the sign of a score
        return "classifier"
    if is_regressor(last):
        return "regressor"
    return "clusterer" if type(last).__module__.startswith(("sklearn.cluster", "sklearn.mixture")) else "transformer"


def exact_methods(model):
    """Methods whose outputs must agree bit for bit with the library's."""
    last, _ = final_step(model)
    name = type(last).__name__
    if vector_facts.exact_methods(last) is not None:
        return vector_facts.exact_methods(last)
    if meta_facts.is_meta(last):
        return meta_facts.exact_methods(last)
    if name.startswith(FORESTS):
        return ["predict", "predict_proba", "apply"]
    if getattr(last, "booster", None) == "gblinear":
        return []
    if type(last).__module__.startswith(("lightgbm.", "xgboost.", "catboost.")):
        return ["margin", "apply"]
    if name == "HistGradientBoostingClassifier":
        return ["decision_function"]
    if name == "HistGradientBoostingRegressor":
        return ["predict"] if last.loss in ("least_squares", "squared_error", "least_absolute_deviation",
                                            "absolute_error", "quantile") else []
    if name == "GradientBoostingRegressor":
        return ["apply"] if hasattr(last.init_, "coef_") else ["predict", "apply"]
    return ["apply"]


def single(model):
    """Whether the library itself adds up in float32 whatever its input: gradient boosting on top of a linear
    model, which was fitted on, and gets, rows cast to float32; PCA fitted on float32; means of XGBoost's results."""
    last, _ = final_step(model)
    if any(type(part).__module__.startswith("xgboost.") for part, _ in meta_facts.children(last)):
        return True
    start = getattr(last, "init_", None)
    if type(last).__name__ in ("PCA", "IncrementalPCA", "LatentDirichletAllocation"):  # the projected mean is float32
        return str(last.components_.dtype) == "float32"
    return str(getattr(getattr(start, "coef_", None), "dtype", "")) == "float32"


def widthless(model):
    """Whether nothing in the file says how many columns the model takes: before n_features_in_, a few transformers kept
    no trace of it when they had nothing to learn."""
    if hasattr(model, "n_features_in_"):
        return False
    name = type(model).__name__
    learnt = [value for value in (getattr(model, "mean_", None), getattr(model, "scale_", None)) if value is not None]
    return name in ("FunctionTransformer", "Normalizer") or (name == "StandardScaler" and not learnt)


def cell(value):
    """A CSV cell: floats by repr, missing values empty, everything that needs it (and empty text) quoted."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        if value == "" or any(c in value for c in ",\"\r\n"):
            return '"%s"' % value.replace('"', '""')
        return value
    return repr(value)


def write_csv(path, table):
    if isinstance(table, pd.DataFrame):
        header, columns = list(table.columns), [table[name].tolist() for name in table.columns]
    else:
        table = table.reshape(len(table), -1)
        header, columns = ["x%d" % i for i in range(table.shape[1])], [c.tolist() for c in table.T]
    with io.open(path, "w", encoding="utf-8", newline="") as f:
        f.write(",".join(cell(str(name)) for name in header) + "\n")
        for row in zip(*columns):
            # a line without anything would be no row at all
            f.write((",".join(cell(v) for v in row) or '""') + "\n")


def steady(model):
    """Zero what comes out otherwise each time, so that archives can be made again byte for byte: what a search
    measured with a clock, and the iteration count that LinearSVC never sets for Crammer and Singer's method."""
    for step in [model] + [step for _, step in getattr(model, "steps", [])]:
        for name, values in getattr(step, "cv_results_", {}).items():
            if name.endswith("_time"):
                values[:] = 0
        if hasattr(step, "refit_time_"):
            step.refit_time_ = 0.0
        if getattr(step, "multi_class", None) == "crammer_singer":
            step.n_iter_ = 0


class Cases:
    """Collects cases; families call add()."""

    def __init__(self, folder):
        self.folder, self.v = folder, VERSION
        self.entries, self.models, self.inputs, self.faults = [], 0, {}, []
        for name in ("models", "inputs", "expected"):
            os.makedirs(os.path.join(folder, name))

    def since(self, *version):
        return VERSION >= version

    def methods(self, without=()):
        """All methods but some that the class has and raises on."""
        return [method for method in METHODS if method not in without]

    def pick(self, version, new, old):
        """new from that version on, old before."""
        return new if VERSION >= version else old

    def add(self, name, make, x, y=None, on=("num",), raises=(), methods=None, log=False, fit=None, fitted=False,
            calls=None):
        """Fit make() on x, y; record every method on each input of `on`, and that those in `raises` raise.

        methods  record only these;  log: predict_log_proba too;  fit: keyword arguments of fit();
        fitted   make() returns a model that is fitted already
        calls    {method: function of the model and the rows}: methods that the library spells otherwise
        """
        np.random.seed(0)  # for what draws although it was given no seed
        try:
            model = make()
            if not fitted:
                model.fit(x, *(() if y is None else (y,)), **(fit or {}))
        except Exception as error:
            self.fault(name, error)
            return None
        steady(model)
        self.given_names = list(getattr(model, "transformed_names_", []))
        path = self.dump(name, model)
        for source in tuple(on) + tuple(raises):
            self.record(name, model, path, case_data.get(source), source in raises, methods, log, calls)
        return model

    def fault(self, name, error):
        self.faults.append(name)
        print("%s: %s: %s" % (name, type(error).__name__, str(error).split("\n")[0][:160]), file=sys.stderr)
        if not isinstance(error, (ValueError, TypeError, AttributeError)):
            traceback.print_exc()

    def dump(self, name, model):
        form = FORMS[self.models % len(FORMS)]
        self.models += 1
        if form.startswith("pickle"):
            protocol = min(int(form[-1]), pickle.HIGHEST_PROTOCOL)
            path = "models/%s.p%d.pkl" % (name, protocol)
            with open(os.path.join(self.folder, path), "wb") as f:
                pickle.dump(model, f, protocol)
            return path
        writer = vendored_joblib if form == "vendored" and vendored_joblib else joblib
        form = "joblib" if form == "vendored" else form
        path = "models/%s%s.joblib" % (name, "" if form == "joblib" else "." + form)
        full = os.path.join(self.folder, path)
        writer.dump(model, full, compress=0 if form == "joblib" else (form, 3))
        if form == "gzip":  # its header holds the time
            with open(full, "r+b") as f:
                f.seek(4)
                f.write(bytes(4))
        return path

    def save_input(self, source):
        path = "inputs/%s.%s" % (source.name, source.form)
        if source.name not in self.inputs:
            self.inputs[source.name] = source
            full = os.path.join(self.folder, path)
            if source.form == "npy":
                np.save(full, source.table)
            else:
                write_csv(full, source.table)
        elif self.inputs[source.name] is not source:
            raise SystemExit("two inputs named " + source.name)
        return path

    def record(self, name, model, path, source, raises, methods, log, calls=None):
        outputs, errors, columns = {}, {}, {}
        for method in methods or METHODS:
            if (method == "predict_log_proba" and not log) or (method == "apply" and raises):
                continue
            try:
                call = calls[method].__get__(model) if method in (calls or {}) else getattr(model, method)
            except AttributeError:
                continue
            try:
                result = call(source.x)
            except Exception as error:
                if not raises:
                    self.fault("%s-%s %s" % (name, source.name, method), error)
                errors[method] = type(error).__name__
                continue
            if raises:
                self.fault("%s-%s %s" % (name, source.name, method), ValueError("did not raise"))
                continue
            if method == "apply":
                result = result.reshape(len(result), -1)
            if method == "kneighbors":
                result = np.hstack(result)
            outputs[method] = encode(result)
            names = vector_facts.columns(final_step(model)[0], method) or self.output_names(model, method)
            if names is not None:
                columns[method] = names
        last, _ = final_step(model)
        kind = kind_of(last)
        entry = {"name": "%s-%s" % (name, source.name), "class": type(model).__name__,
                 "final": type(last).__name__, "model": path, "input": self.save_input(source),
                 "kind": kind, "dtype": str(getattr(source.x, "dtype", "frame"))}
        if outputs:
            expected = dict(outputs)
            if not raises:
                scale = linear_scale(model, source.x, methods[0] if methods and len(methods) == 1 else None)
                if scale is not None:
                    expected["scale"] = scale
            file = "expected/%s.json" % entry["name"]
            with open(os.path.join(self.folder, file), "w") as f:
                json.dump(expected, f, separators=(",", ":"), sort_keys=True)
            entry["expected"] = file
            entry["methods"] = [m for m in METHODS if m in outputs]
            entry["exact"] = [m for m in exact_methods(model) if m in outputs]
        if hasattr(model, "classes_"):
            try:
                classes = model.classes_
                several = isinstance(classes, list)
                entry["classes"] = [encode(c)["values"] for c in classes] if several else encode(classes)["values"]
                entry["classes"] = meta_facts.classes(model) or entry["classes"]
            except AttributeError:
                pass
        if errors:
            entry["errors"] = errors
        if vector_facts.is_neighbors(last):
            entry["neighbors"] = vector_facts.neighbors_ties(last, source.x)
        if single(model):
            entry["single"] = True
        if widthless(model):
            entry["widthless"] = True
        if columns:
            entry["columns"] = columns
        if outputs or errors:
            self.entries.append(entry)

    def output_names(self, model, method):
        """What the newest version calls a transformer's columns, where it says; what a mapper called them."""
        if method == "transform" and self.given_names:  # a mapper's, in its file
            return [str(name) for name in self.given_names]
        if method != "transform" or VERSION < NEWEST or not hasattr(model, "get_feature_names_out"):
            return None
        try:
            return [str(name) for name in model.get_feature_names_out()]
        except (AttributeError, ValueError):
            return None

    def finish(self):
        manifest = {"versions": {"python": "%d.%d.%d" % sys.version_info[:3], "sklearn": sklearn.__version__,
                                 "numpy": np.__version__, "scipy": scipy.__version__,
                                 "joblib": joblib.__version__, "pandas": pd.__version__},
                    "cases": self.entries}
        for name in ("xgboost", "lightgbm", "catboost"):
            if name in sys.modules:
                manifest["versions"][name] = sys.modules[name].__version__
        with open(os.path.join(self.folder, "manifest.json"), "w") as f:
            json.dump(manifest, f, indent=1, sort_keys=True)
        print("scikit-learn %s: %d models, %d cases, %d faults"
              % (sklearn.__version__, self.models, len(self.entries), len(self.faults)), file=sys.stderr)


def main(folder, modules):
    cases = Cases(folder)
    for module in modules:
        importlib.import_module(module).add_cases(cases)
    cases.finish()
    return 1 if cases.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
