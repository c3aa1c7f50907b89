"""Naive Bayes, networks, clusters, projections, feature selection and label binarizers."""
import numpy as np
from sklearn import feature_selection as fs
from sklearn import naive_bayes as nb
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelBinarizer, OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from case_data import (CAT_INT, CAT_INT_UNKNOWN, ROWS, WEIGHT, X, X_CONST, Y_3, Y_BIG, Y_BIN,
                       Y_BOOL, Y_OBJ, Y_REG, Y_REG2, Y_STR, Y_STR3, Input, named)

CENTRE, SPREAD = np.array([0, 40, 0, 1000, 3.0]), np.array([1, 10, 0.125, 100, 1.0])
XS = (X - CENTRE) / SPREAD
UNIT = Input("unit", np.vstack([(ROWS[:6] - CENTRE) / SPREAD, ROWS[10:12], [[3e3, -7, 1e-9, 40, -0.0]]]))
UNIT32 = Input("unit32", UNIT.x.astype(np.float32), form="npy")
COUNTS = np.round(np.abs(XS) * 3)
COUNT_ROWS = Input("counts", np.vstack([COUNTS[:6], np.abs(ROWS[10:12]), [[0.5, 100, 7, 0, 1]]]))
COUNT_ROWS32 = Input("counts32", COUNT_ROWS.x.astype(np.float32), form="npy")
FEW = Input("few", ROWS[4:12])
FEW32 = Input("few32", ROWS[4:12].astype(np.float32), form="npy")
CODES = Input("codes", CAT_INT_UNKNOWN)


def light(model):
    """Without the random generator, which no method looks at and no archive gets smaller."""
    boosting = getattr(model, "estimator_", None)
    for part in [model, boosting] + list(np.ravel(getattr(boosting, "estimators_", []))):
        for name in ("_random_state", "_rng", "random_state"):
            if getattr(part, name, None) is not None:
                setattr(part, name, None)
    return model


def add_cases(c):
    _bayes(c)
    _networks(c)
    _clusters(c)
    _projections(c)
    _selection(c)
    _from_model(c)
    _labels(c)


def _bayes(c):
    c.add("gaussian", lambda: nb.GaussianNB(), X, Y_STR, on=["num", "f32"], raises=["nan", "inf"], log=True)
    c.add("gaussian_3", lambda: nb.GaussianNB(priors=[0.2, 0.5, 0.3]), XS, Y_OBJ, on=[UNIT], log=True)
    c.add("gaussian_weight", lambda: nb.GaussianNB(var_smoothing=1e-3), XS, Y_BIG, on=[UNIT],
          fit={"sample_weight": WEIGHT})
    wide = np.column_stack([XS, XS[:, ::-1] * 2, XS ** 2, XS - 1])
    c.add("gaussian_wide", lambda: nb.GaussianNB(), wide, Y_3, on=[Input("wide", wide[:6])])
    for name, make in [("multinomial", lambda **k: nb.MultinomialNB(**k)), ("complement", lambda **k: nb.ComplementNB(**k)),
                       ("bernoulli", lambda **k: nb.BernoulliNB(**k))]:
        c.add(name, lambda: make(), COUNTS, Y_STR3, on=[COUNT_ROWS, COUNT_ROWS32], raises=["nan"], log=True)
        if c.since(1, 0):  # before, one class was counted as two
            c.add(name + "_one", lambda: make(), COUNTS, np.ones(60, dtype=int), on=[COUNT_ROWS])
    c.add("bernoulli_2", lambda: nb.BernoulliNB(alpha=0.3, fit_prior=False), COUNTS, Y_BIN, on=[COUNT_ROWS])
    c.add("bernoulli_hot", lambda: make_pipeline(OneHotEncoder(handle_unknown="ignore", categories="auto"),
                                                 nb.BernoulliNB()), CAT_INT, Y_STR3, on=[CODES])
    c.add("complement_norm", lambda: nb.ComplementNB(norm=True), COUNTS, Y_STR3, on=[COUNT_ROWS])
    c.add("bernoulli_half", lambda: nb.BernoulliNB(binarize=1.5), COUNTS, Y_STR3, on=[COUNT_ROWS, COUNT_ROWS32])
    c.add("bernoulli_raw", lambda: nb.BernoulliNB(binarize=None), (COUNTS > 1).astype(float), Y_STR,
          on=[Input("bits", (COUNTS[:8] > 1).astype(int))])


def _networks(c):
    def network(make, *layers, **more):
        more.setdefault("max_iter", 12)
        more.setdefault("solver", "lbfgs")  # the others keep moments in the file
        return make(hidden_layer_sizes=layers, random_state=0, **more)

    def add(name, make, x, y, **more):
        c.add(name, lambda: light(make().fit(x, y)), x, fitted=True, **more)

    for activation in ["identity", "logistic", "tanh", "relu"]:
        add("mlp_" + activation, lambda: network(MLPClassifier, 3, activation=activation), XS, Y_STR3,
              on=[UNIT, UNIT32] if activation == "relu" else [UNIT], log=activation == "tanh")
    add("mlp_2", lambda: network(MLPClassifier, 2, 2, solver="adam"), XS, Y_STR, on=[UNIT, UNIT32], raises=["nan"],
          log=True)
    add("mlp_multilabel", lambda: network(MLPClassifier, 3), XS, np.column_stack([Y_BIN, Y_BIN[::-1], Y_3 > 0]),
          on=[UNIT])
    add("mlp_fit32", lambda: network(MLPClassifier, 3), XS.astype(np.float32), Y_STR3, on=[UNIT32])
    add("mlpreg", lambda: network(MLPRegressor, 4, activation="tanh"), XS, Y_REG, on=[UNIT, UNIT32], raises=["inf"])
    add("mlpreg_2", lambda: network(MLPRegressor, 4), XS, Y_REG2, on=[UNIT])
    if c.since(1, 8):
        add("mlpreg_poisson", lambda: network(MLPRegressor, 4, loss="poisson"), XS, np.abs(Y_REG), on=[UNIT])


def _clusters(c):
    c.add("kmeans", lambda: KMeans(3, n_init=1, random_state=0), X, on=[FEW], raises=["nan"])
    c.add("kmeans_fit32", lambda: KMeans(4, n_init=1, random_state=0), XS.astype(np.float32), on=[UNIT32])
    c.add("kmeans_mini", lambda: MiniBatchKMeans(3, n_init=1, random_state=0, batch_size=20), XS, on=[UNIT])
    corners = np.repeat([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]], 3, axis=0)
    c.add("kmeans_ties", lambda: KMeans(4, n_init=1, random_state=0), corners,
          on=[Input("ties", np.vstack([corners[::3], corners[::3] + 1, [[1, 0], [0, 1], [1, 2]]]))])
    c.add("kmeans_hot", lambda: make_pipeline(OneHotEncoder(handle_unknown="ignore", categories="auto"),
                                              KMeans(3, n_init=1, random_state=0)), CAT_INT, on=[CODES])


def _projections(c):
    def add(name, make, *data, **more):  # score_samples is not offered
        c.add(name, make, *data, methods=["transform"], **more)

    add("pca", lambda: PCA(3), X, on=[FEW, FEW32], raises=["nan", "inf"])
    add("pca_whiten", lambda: PCA(2, whiten=True), named(X), on=["named"])
    add("pca_fit32", lambda: PCA(2, whiten=True), XS.astype(np.float32), on=[UNIT, UNIT32])
    add("pca_flat", lambda: PCA(3, whiten=True), X_CONST, on=["const"])
    add("pca_incremental", lambda: IncrementalPCA(2, batch_size=20, whiten=True), XS, on=[UNIT])
    add("svd", lambda: TruncatedSVD(2, random_state=0), X, on=[FEW, FEW32], raises=["nan"])
    add("svd_fit32", lambda: TruncatedSVD(2, random_state=0), XS.astype(np.float32), on=[UNIT, UNIT32])
    add("svd_hot", lambda: make_pipeline(OneHotEncoder(handle_unknown="ignore", categories="auto"),
                                           TruncatedSVD(2, random_state=0)), CAT_INT, on=[CODES])
    c.add("pca_model", lambda: make_pipeline(PCA(3), LogisticRegression(solver="lbfgs")), XS, Y_STR3, on=[UNIT])


def _selection(c):
    tied = X[:, [0, 1, 1, 2, 2]]
    c.add("kbest", lambda: fs.SelectKBest(k=3), X, Y_STR3, on=[FEW, FEW32], raises=["nan", "inf"])
    c.add("kbest_named", lambda: fs.SelectKBest(k=2), named(X), Y_BIN, on=["named"])
    c.add("kbest_all", lambda: fs.SelectKBest(fs.f_regression, k="all"), X, Y_REG, on=[FEW])
    c.add("kbest_ties", lambda: fs.SelectKBest(k=2), tied, Y_BIN, on=[FEW])
    c.add("kbest_nan", lambda: fs.SelectKBest(k=3), X_CONST, Y_BIN, on=["const"])
    c.add("kbest_chi2", lambda: fs.SelectKBest(fs.chi2, k=2), COUNTS, Y_3, on=[COUNT_ROWS])
    for part in [30, 47.5]:
        c.add("percentile_%s" % part, lambda: fs.SelectPercentile(percentile=part), tied, Y_BIN, on=[FEW])
    c.add("fpr", lambda: fs.SelectFpr(alpha=0.01), X, Y_BIN, on=[FEW])
    c.add("fdr", lambda: fs.SelectFdr(alpha=0.2), X, Y_BIN, on=[FEW])
    c.add("fwe", lambda: fs.SelectFwe(alpha=0.1), X, Y_BIN, on=[FEW])
    c.add("generic", lambda: fs.GenericUnivariateSelect(mode="fdr", param=0.1), X, Y_BIN, on=[FEW])
    c.add("variance", lambda: fs.VarianceThreshold(), X_CONST, on=["const"])
    c.add("variance_some", lambda: fs.VarianceThreshold(0.5), X, on=[FEW] + (["nan", "inf"] if c.since(0, 22) else []),
          raises=[] if c.since(0, 22) else ["nan", "inf"])
    c.add("rfe", lambda: fs.RFE(LogisticRegression(solver="lbfgs"), n_features_to_select=2), XS, Y_STR3, on=[UNIT])
    c.add("rfecv", lambda: fs.RFECV(DecisionTreeClassifier(random_state=0, max_depth=2), cv=2), X, Y_BIN, on=[FEW])
    c.add("kbest_model", lambda: make_pipeline(OneHotEncoder(handle_unknown="ignore", categories="auto"),
                                               fs.SelectKBest(k=4), LogisticRegression(solver="lbfgs")),
          CAT_INT, Y_STR3, on=[CODES])


def _from_model(c):
    def chosen(name, estimator, y=Y_BIN, on=(FEW,), **more):
        c.add("from_" + name, lambda: light(fs.SelectFromModel(estimator, **more).fit(X, y)), X, fitted=True, on=list(on))

    chosen("lasso", Lasso(alpha=0.1), Y_REG)
    chosen("elastic", ElasticNet(alpha=0.1, l1_ratio=1.0), Y_REG)
    chosen("ridge", Ridge(), Y_REG, threshold="1.25*median")
    chosen("logistic", LogisticRegression(solver="liblinear"), threshold="0.5*mean", norm_order=2)
    chosen("l1", LogisticRegression(solver="saga", l1_ratio=1.0) if c.since(1, 8)
           else LogisticRegression(solver="saga", penalty="l1"))
    chosen("limit", Ridge(), Y_REG, threshold=-np.inf, max_features=2)
    chosen("tree", DecisionTreeClassifier(max_depth=3, random_state=0), Y_3)
    forest = RandomForestClassifier(n_estimators=2, max_depth=2, random_state=0)
    chosen("forest", forest, Y_STR3, threshold="median")
    chosen("extra", ExtraTreesRegressor(n_estimators=2, max_depth=2, random_state=0), Y_REG)
    chosen("boosting", GradientBoostingClassifier(n_estimators=2, max_depth=2, random_state=0), threshold="0.8*mean")
    prefit = RandomForestClassifier(n_estimators=2, max_depth=2, random_state=0).fit(X, Y_3)
    c.add("from_prefit", lambda: fs.SelectFromModel(prefit, prefit=True), X, fitted=True, on=[FEW])
    c.add("from_then_tree", lambda: make_pipeline(fs.SelectFromModel(forest), DecisionTreeClassifier(max_depth=3)),
          X, Y_STR3, on=[FEW])


def _labels(c):
    for name, y in [("str", Y_STR3), ("two", Y_STR), ("int", Y_BIG), ("bool", Y_BOOL)]:
        c.add("binarizer_" + name, lambda: LabelBinarizer(), y, on=[Input("y_" + name, y[:12])])
    c.add("binarizer_signs", lambda: LabelBinarizer(neg_label=-1, pos_label=2), Y_3, on=[Input("y_3", Y_3[:12])])
    c.add("binarizer_zero", lambda: LabelBinarizer(neg_label=-1, pos_label=0), Y_BIN, on=[Input("y_2", Y_BIN[:12])])
    c.add("binarizer_sparse", lambda: LabelBinarizer(sparse_output=True), Y_STR3,
          on=[Input("y_new", np.array(["low", "nowhere", "mid dle", "h\u00f6gh"]))])
