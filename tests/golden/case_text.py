"""Text vectorizers: analyzers, tokens, n-grams, stop words, Unicode, weights, and what stands behind them."""
import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MaxAbsScaler, Normalizer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from case_data import Input

TRAIN = ["The quick brown fox jumps over the lazy dog", "the dog sleeps; the fox doesn't", "a quick, QUICK test",
         "lazy days and quick nights", u"na\u00efve caf\u00e9 in Z\u00fcrich", u"Caf\u00e9 \u0391\u03a3 \u03a3\u0391\u03a3 \u0130stanbul",
         "free money!!! click now", "money for nothing 2 4 22", "click here for free money", "free free free nothing"]
LABELS = np.array(["ham", "ham", "ham", "ham", "ham", "ham", "spam", "spam", "spam", "spam"])
ROWS = TRAIN[:3] + ["", "unknown words alone", "a b c", "FREE\tmoney  \n now", "the_dog x2 \"quoted\", dog.",
                    u"NAIVE nai\u0308ve cafe\u0301 \u00c5\u212b \ufb01x \u00bd", u"\u0391\u03a3 \u03a3 \u0391\u03a3\u0301 \u0130 \u01c5 stra\u00dfe",
                    u"\u65e5\u672c\u8a9e \u0e01\u0e33 \u0661\u0662 \U0001f600 x\u00a0y\u2003z\x1cw", "dog " * 9]


def texts(name, rows):
    return Input(name, np.array(rows, dtype=object), pd.DataFrame({"text": rows}))


DOCS = texts("docs", ROWS)


def add_cases(c):
    _analyzers(c)
    _weights(c)
    _pipelines(c)


def _analyzers(c):
    def add(name, **options):
        c.add(name, lambda: CountVectorizer(**options), np.array(TRAIN, dtype=object), on=[DOCS])

    add("count")
    add("count_case", lowercase=False, dtype=np.float32)
    add("count_12", ngram_range=(1, 2), max_features=30)
    add("count_23", ngram_range=(2, 3), max_features=20, binary=True)
    add("count_english", stop_words="english")
    add("count_stop", stop_words=["the", u"caf\u00e9", "quick"], ngram_range=(1, 2), max_features=25)
    add("count_unicode", strip_accents="unicode", lowercase=False)
    add("count_ascii", strip_accents="ascii")
    add("count_char", analyzer="char", ngram_range=(1, 3), max_features=40)
    add("count_char_wb", analyzer="char_wb", ngram_range=(2, 5), max_features=40)
    add("count_wb_long", analyzer="char_wb", ngram_range=(4, 12), max_features=30, dtype=np.float64)
    add("count_words", token_pattern=r"\w+", max_df=0.5)
    add("count_letters", token_pattern=r"[a-zA-Z]{2,}")
    add("count_space", token_pattern=r"\S+")
    add("count_group", token_pattern=r"(?u)\b(\w)\w*\b")
    add("count_look", token_pattern=r"(?<!\w)[^\W\d_]+(?:'\w+)?")
    add("count_fixed", vocabulary=["dog", "fox", "the dog", "cat"], ngram_range=(1, 2))
    c.add("count_given", lambda: CountVectorizer(vocabulary={"money": 1, "free": 0}), None, on=[DOCS], fitted=True)


def _weights(c):
    def add(name, **options):
        c.add(name, lambda: TfidfVectorizer(**options), np.array(TRAIN, dtype=object), on=[DOCS])

    add("tfidf")
    add("tfidf_l1", norm="l1", smooth_idf=False, stop_words="english")
    add("tfidf_plain", norm=None, sublinear_tf=True)
    add("tfidf_tf", use_idf=False, binary=True)
    add("tfidf_f32", dtype=np.float32, sublinear_tf=True)
    add("tfidf_char", analyzer="char_wb", ngram_range=(3, 3), max_features=30)
    counts = np.array([[3, 0, 1], [2, 0, 0], [3, 0, 0], [4, 1, 0], [3, 2, 0], [3, 0, 2.5]])
    rows = Input("counts", counts)
    c.add("weights", lambda: TfidfTransformer(), counts, on=[rows])
    c.add("weights_log", lambda: TfidfTransformer(sublinear_tf=True, norm=None), counts, on=[rows])


def _pipelines(c):
    def add(name, *steps, **more):
        c.add(name, lambda: make_pipeline(*steps), np.array(TRAIN, dtype=object), LABELS, on=[DOCS], **more)

    def linear(**options):
        return LogisticRegression(solver="liblinear", random_state=0, **options)

    add("tfidf_logreg", TfidfVectorizer(), linear())
    add("tfidf_svc", TfidfVectorizer(ngram_range=(1, 2), max_features=30), LinearSVC(random_state=0))
    add("count_tfidf_sgd", CountVectorizer(), TfidfTransformer(), SGDClassifier(random_state=0, max_iter=20, tol=None))
    add("count_multinomial", CountVectorizer(), MultinomialNB())
    add("count_bernoulli", CountVectorizer(), BernoulliNB())
    add("tfidf_complement", TfidfVectorizer(dtype=np.float32), ComplementNB())
    add("count_maxabs", CountVectorizer(dtype=np.float64), MaxAbsScaler(), Normalizer("l1"), linear())
    add("count_standard", CountVectorizer(dtype=np.float64), StandardScaler(with_mean=False), linear())
    add("tfidf_kbest", TfidfVectorizer(), SelectKBest(chi2, k=6), linear())
    add("count_kbest_tfidf", CountVectorizer(), SelectKBest(chi2, k=6), TfidfTransformer(), linear())
    add("tfidf_svd", TfidfVectorizer(), TruncatedSVD(3, random_state=0))
    add("tfidf_kmeans", TfidfVectorizer(max_features=20), KMeans(2, n_init=1, random_state=0, max_iter=3))
    add("tfidf_tree", TfidfVectorizer(), DecisionTreeClassifier(max_depth=3, random_state=0))
    union = FeatureUnion([("w", TfidfVectorizer(max_features=12)), ("c", CountVectorizer(analyzer="char", max_features=9))])
    add("union_logreg", union, linear())
    frame = pd.DataFrame({"n": np.arange(10) / 4, "text": TRAIN, "kind": list("aabbabbaab")})
    rows = pd.DataFrame({"kind": list("abcabaabbacb"), "text": ROWS, "n": np.arange(12) - 3.5})
    columns = ColumnTransformer([("t", TfidfVectorizer(max_features=15), "text"), ("n", StandardScaler(), ["n"]),
                                 ("k", OneHotEncoder(handle_unknown="ignore"), ["kind"])])
    table = Input("texts", rows[["n", "text", "kind"]], rows)
    c.add("columns", lambda: columns, frame, on=[table])
    c.add("columns_logreg", lambda: make_pipeline(columns, linear()), frame, LABELS, on=[table])
