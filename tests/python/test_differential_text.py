"""Text vectorizers on random texts of many scripts, against scikit-learn: options, patterns, and what stands behind them."""

import collections
import csv
import re
import resource
import warnings

import differential as diff
import ftl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import cluster, compose, decomposition, feature_selection, linear_model, naive_bayes, pipeline, preprocessing
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer

WORDS = ["the", "The", "DOG", "dog", "free", "money!", "don't", "a", "I", "x2", "_id", "22", "3.14", "e-mail", "naïve",
         "naïve", "CAFÉ", "Straße", "ΣΟΦΟΣ", "Σ", "ΑΣ́", "İstanbul", "ǅ", "ﬁn", "Å", "½", "日本語", "กำ", "١٢",
         "😀", "ǆ́", "Ⅷ", "ª", "̈", "ß", "K", "ſ", "\u200dx", "q\u00adr"]
SPACES = [" ", "  ", "\t", " \n ", "\u00a0", "\u2003\u2003", "\x1c", "\x85", "-", ", ", ".", "/", "'"]
PATTERNS = [r"(?u)\b\w\w+\b", r"\b\w+\b", r"\w+", r"(?u)\b\w\w\w+\b", r"[a-zA-Z]+", r"[^\W\d_]+", r"\S+", r"\w+|[^\w\s]", r"\d+",
            r"[a-z]{2,4}", r"(?i)[a-z]+", r"\b(\w)\w*\b", r"(?:\w+')?\w+", r"(?<=\s)\w+", r"\w+(?=!)", r"x*", r"[\w'-]+",
            r"[^\s,.!?]+", r".", r"\w{,3}", r"[\]\[x]+", r"\u00e9|o\x67", r"(?P<token>\w+)s?", r"^\w+", r"\w+$", r"\w+?"]


def texts(rng, n, longest=12):
    """Rows of words and separators; some are empty."""
    rows = []
    for _ in range(n):
        parts = []
        for _ in range(rng.integers(0, longest)):
            parts += [WORDS[rng.integers(len(WORDS))], SPACES[rng.integers(len(SPACES)) if rng.random() < 0.4 else 0]]
        rows.append("".join(parts))
    return rows


def compare(model, rows, methods=None):
    """The program reads the rows from a CSV of one column, the library gets them as a list."""
    diff.compare(Listed(model), pd.DataFrame({"text": rows}), methods)


class Listed:
    """A model of texts as the comparison wants it: a table of one column goes in."""

    def __init__(self, model):
        self.model = model

    def __reduce__(self):  # what is saved is the model itself
        return (_itself, (self.model,))

    def __getattr__(self, name):
        if name.startswith("__") and name != "__sklearn_tags__":  # pickle's and copy's are this object's own
            raise AttributeError(name)
        value = getattr(self.model, name)
        if name in diff.METHODS:
            return lambda x: value(list(x["text"]) if isinstance(x, pd.DataFrame) else x)
        return value


def _itself(model):
    return model


OPTIONS = st.fixed_dictionaries({
    "lowercase": st.booleans(), "strip_accents": st.sampled_from([None, "ascii", "unicode"]),
    "stop_words": st.sampled_from([None, None, "english", ["the", "dog", "naïve"]]),
    "ngram_range": st.sampled_from([(1, 1), (1, 1), (1, 2), (2, 3), (1, 4)]), "binary": st.booleans(),
    "analyzer": st.sampled_from(["word", "word", "word", "char", "char_wb"]),
    "token_pattern": st.sampled_from(PATTERNS), "max_features": st.sampled_from([None, 7, 40]),
    "dtype": st.sampled_from([np.float64, np.float32]),
})


def save(monkeypatch):
    """joblib writes the model inside of Listed."""
    write = diff.write_model
    monkeypatch.setattr(diff, "write_model", lambda model, folder, compress=0:
                        write(model.model if isinstance(model, Listed) else model, folder, compress))
    facts = diff.description
    monkeypatch.setattr(diff, "description", lambda model, x, method:
                        facts(model.model if isinstance(model, Listed) else model, x, method))
    monkeypatch.setattr(diff.cases, "linear_scale", lambda model, x, method=None: [10.0] * len(x))


@pytest.fixture(autouse=True)
def listed(monkeypatch):
    save(monkeypatch)


def fitted(vectorizer, rows, y=None):
    try:
        return vectorizer.fit(rows, y) if y is not None else vectorizer.fit(rows)
    except ValueError as error:  # nothing is left of these texts
        assert "empty vocabulary" in str(error) or "no terms remain" in str(error).lower(), error
        return None


@diff.examples(40)
@given(seed=diff.seeds, options=OPTIONS, weights=st.sampled_from([None, "l1", "l2", False]), sublinear=st.booleans(),
       idf=st.booleans())
def test_vectorizers(seed, options, weights, sublinear, idf):
    rng = np.random.default_rng(seed)
    if weights is None:
        vectorizer = CountVectorizer(**options)
    else:
        vectorizer = TfidfVectorizer(norm=weights or None, sublinear_tf=sublinear, use_idf=idf, **options)
    model = fitted(vectorizer, texts(rng, 30))
    if model is not None:
        compare(model, texts(rng, 20), ["transform"])


@diff.examples(12)
@given(seed=diff.seeds, kind=st.integers(0, 9))
def test_pipelines(seed, kind):
    rng = np.random.default_rng(seed)
    y = diff.labels(rng, 40, 2 + kind % 2, ["int", "str", "unicode"][rng.integers(3)])
    behind = [
        [linear_model.LogisticRegression()], [naive_bayes.MultinomialNB()], [naive_bayes.BernoulliNB()],
        [naive_bayes.ComplementNB()], [preprocessing.MaxAbsScaler(), linear_model.RidgeClassifier()],
        [TfidfTransformer(), preprocessing.StandardScaler(with_mean=False), linear_model.LogisticRegression()],
        [feature_selection.SelectKBest(feature_selection.chi2, k=9), linear_model.LogisticRegression()],
        [feature_selection.VarianceThreshold(0.05), TfidfTransformer(), linear_model.LogisticRegression()],
        [decomposition.TruncatedSVD(3, random_state=0), linear_model.LogisticRegression()],
        [preprocessing.Normalizer("l1"), cluster.KMeans(3, n_init=1, random_state=0)]][kind]
    model = fitted(pipeline.make_pipeline(CountVectorizer(), *behind), texts(rng, 40), y)
    compare(model, texts(rng, 20))


@diff.examples(8)
@given(seed=diff.seeds, threshold=st.sampled_from([0.0, 0.3, 1.0]))
def test_columns(seed, threshold):
    """Texts beside numbers and categories; dense and sparse results of the column transformer."""
    rng = np.random.default_rng(seed)

    def table(n):
        return pd.DataFrame({"text": [t or "x" for t in texts(rng, n)], "n": rng.normal(size=n),
                             "kind": np.array(["a", "b", "ü"], dtype=object)[rng.integers(0, 3, n)]})
    columns = compose.ColumnTransformer([
        ("t", TfidfVectorizer(max_features=20), "text"), ("c", CountVectorizer(analyzer="char"), "text"),
        ("n", preprocessing.StandardScaler(), ["n"]),
        ("k", preprocessing.OneHotEncoder(handle_unknown="ignore"), ["kind"])], sparse_threshold=threshold)
    frame = table(40)
    model = pipeline.make_pipeline(columns, preprocessing.MaxAbsScaler(), linear_model.LogisticRegression(max_iter=30))
    rows = table(20)
    rows["text"] = [text if text.strip(" \t\n") else "x" for text in rows["text"]]
    diff.compare(columns.fit(frame), rows)
    diff.compare(model.fit(frame, diff.labels(rng, 40, 2, "str")), rows)


@diff.examples(12)
@given(seed=diff.seeds, options=OPTIONS, n=st.sampled_from([1, 2, 7, 64, 1000]), norm=st.sampled_from([None, "l1", "l2"]),
       signs=st.booleans())
def test_hashes(seed, options, n, norm, signs):
    rng = np.random.default_rng(seed)
    options = {name: value for name, value in options.items() if name != "max_features"}
    model = HashingVectorizer(n_features=n, norm=norm, alternate_sign=signs, **options)
    rows = texts(rng, 30)
    compare(model.fit(rows), rows, ["transform"])


def test_hashes_of_the_usual_width():
    rng = np.random.default_rng(3)
    model = pipeline.make_pipeline(HashingVectorizer(), linear_model.LogisticRegression(max_iter=5))
    compare(model.fit(texts(rng, 30), np.arange(30) % 3), texts(rng, 10))


SETS = [r"\s", r"\S", r"\w", r"\W", r"\d", r"\D", r"[\s]", r"[^\s]", r"[^\W]", r"[\W\d]", r"[^\W\d_]", r"[\S]", r"[^\S ]", r"[\D]",
        r"(?i)[a-z]", r"(?i)[^a-z]", r"(?i)i", r"(?i)k", r"(?i)[^\Wi]", r"(?i)S|x", r"x{,}", r"\w{,}", r"\B.", r"(?<!\w)\w", r"\w{2,}",
        r"[]\-a]", r"[+--]", r"(?s).", r"a{1", r"{", r"\x41?", r"\t|\v|\u2028"]


@pytest.mark.parametrize("pattern", SETS)
def test_character_sets(pattern, tmp_path):
    """Where PCRE2's classes and case differ from Python's, which follow str."""
    special = list("\u180e\x85\x1c\u200b\u0131\u0130\u017f\u212a\ufeffiIkKsS\u0301\u203f_5\u00bd\u2160.-+,{a]A \t\v\u2028\u2028\u00b5\u00df")
    model = CountVectorizer(token_pattern=pattern, lowercase=False, vocabulary=sorted({*special, "", "aA", "aA1", "x"}))
    compare(model, ["".join(special), " ".join(special), "aA1 x" + "".join(reversed(special))], ["transform"])


# What random patterns are made of. Letters beyond ASCII have other partners in PCRE2's (?i) and are refused there.
PLAIN = list("abiKs1_-'! \t\n\r\x1c")
BEYOND = list("éÉσς日ßſ\u212a٣½\u0301\u203f\u00a0\u2028\x85")
RANGES = ["a-c", "0-9", "A-Z", "a-z", "!-/"]
ESCAPES = [r"\w", r"\d", r"\s", r"\W", r"\D", r"\S"]
ANCHORS = [r"\b", r"\B", "^", "$", r"\A", r"\Z"]
TIMES = ["*", "+", "?", "{2}", "{1,2}", "{2,}", "{,2}", "{2,3}"]
WRITTEN_BY_PEOPLE = [
    *PATTERNS, r"\b[a-z]{3,}\b", r"[A-Za-z0-9_.-]+@[a-z]+", r"#\w+", r"(?<![\w-])[a-z]+(?:-[a-z]+)*", r"\b[^\d\W]+\b", r"\d+(?:[.,]\d+)*",
    r"[a-zà-ÿ]+", r"(?u)\b(?:\w\w+|\w)\b", r"\$?\d+|\w+", r"(?s)(.)", r"(?m)^(\w+)", r"[\u4e00-\u9fff]|\w+", r"\w+(?:'\w+)?", r"\S+?(?=\s|$)",
    r"(?=(\w\w))", r"[^\s]*?\d[^\s]*", r"(?>\w+)!?", r"\w++", r"(?:ab|a)(?:c|bcd)?", r"\b\w{1,3}(?!\w)", r"(?:(a)|b)+", r"(?:a|(b)){2}"]


class Grammar:
    """A random pattern with one group that captures, at the most."""

    def __init__(self, rng):
        self.rng, self.captures = rng, False
        flags = rng.choice(["", "", "", "(?u)", "(?i)", "(?s)", "(?m)", "(?ms)"])
        self.beyond = [] if "i" in flags else BEYOND
        self.pattern = flags + self.branches(2)

    def literal(self):
        character = self.rng.choice(PLAIN + self.beyond)
        form = self.rng.random()
        if form < 0.1:
            return f"\\u{ord(character):04x}"
        return "\\" + character if character in "-!'" and form < 0.5 else character

    def members(self):
        ranges = RANGES + (["à-ÿ", "α-ω", "一-龥"] if self.beyond else [])
        parts = [self.rng.choice([self.literal, lambda: self.rng.choice(ESCAPES), lambda: self.rng.choice(ranges)])()
                 for _ in range(self.rng.randint(1, 3))]
        body = "".join("\\-" if part == "-" else part for part in parts)
        return self.rng.choice(["", "^"]) + self.rng.choice(["", "", "]", "["]) + body + self.rng.choice(["", "", "-"])

    def atom(self):
        return self.rng.choice([self.literal, lambda: self.rng.choice(ESCAPES), lambda: ".", lambda: f"[{self.members()}]"])()

    def group(self, depth):
        opening = self.rng.choice(["(?:", "(?:", "(?>", "(", "(?P<token>"])
        if opening in ("(", "(?P<token>"):
            opening, self.captures = "(?:" if self.captures else opening, True
        return opening + self.branches(depth - 1) + ")"

    def item(self, depth):
        kind = self.rng.random()
        if kind < 0.12:
            return self.rng.choice(ANCHORS)
        if kind < 0.2:
            return f"(?<{self.rng.choice('=!')}{self.atom()})"
        if kind < 0.3 and depth:
            return f"(?{self.rng.choice('=!')}{self.branches(depth - 1)})"
        grouped = kind < 0.5 and depth
        body = self.group(depth) if grouped else self.atom()
        if self.rng.random() < 0.4:
            body += self.rng.choice(TIMES) + self.rng.choice(["", "", "?"] if grouped else ["", "", "?", "+"])
        return body

    def branches(self, depth):
        return "|".join("".join(self.item(depth) for _ in range(self.rng.randint(0 if self.rng.random() < 0.1 else 1, 3)))
                        for _ in range(self.rng.choice([1, 1, 1, 2, 3])))


def compare_tokens(pattern, rows, folder):
    """The tokens of each row, as counts of them and of all short pieces of the rows. "refused" names the
    pattern, "long" a row on which it takes too many steps; else "same"."""
    words = {token for row in rows for token in re.findall(pattern, row)}
    words |= {row[i:i + n] for row in rows for n in range(4) for i in range(len(row) + 1)}
    model = CountVectorizer(token_pattern=pattern, lowercase=False, vocabulary=sorted(words))
    with open(folder / "rows.csv", "w", encoding="utf-8", newline="") as f:
        csv.writer(f, quoting=csv.QUOTE_ALL).writerows([["text"], *([row] for row in rows)])
    process = diff.run(diff.write_model(model, folder), folder / "rows.csv", folder / "out.csv", "--method", "transform")
    if process.returncode == 3:
        assert "UNSUPPORTED" in process.stderr and "token_pattern" in process.stderr, (pattern, process.stderr)
        return "refused"
    if process.returncode == 4 and "too many steps" in process.stderr:
        return "long"
    assert process.returncode == 0, (pattern, process.stderr)
    table = np.array(ftl.read_csv(folder / "out.csv")[1], dtype=float)
    wanted = model.transform(rows).toarray()
    for row, (got, expected) in enumerate(zip(table, wanted, strict=True)):
        names = np.array(sorted(words), dtype=object)
        assert np.array_equal(got, expected), (pattern, rows[row], re.findall(pattern, rows[row]), list(names[got > 0]))
    return "same"


def test_random_patterns(tmp_path):
    """Random patterns match what Python's re matches, or are refused by name, which few are."""
    met = collections.Counter()

    @diff.examples(150)
    @given(rng=st.randoms(use_true_random=False))
    def check(rng):
        pattern = Grammar(rng).pattern
        rows = ["".join(rng.choice(PLAIN + BEYOND) for _ in range(rng.randint(0, 14))) for _ in range(8)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            met[compare_tokens(pattern, rows, tmp_path)] += 1

    check()
    assert met["refused"] * 5 < met["same"] and met["long"] * 50 < met["same"], met


@pytest.mark.parametrize("pattern", WRITTEN_BY_PEOPLE)
def test_patterns_of_people(pattern, tmp_path):
    rng = np.random.default_rng(7)
    assert compare_tokens(pattern, texts(rng, 12) + ["a-b ab! 3,4 abcd", "x@y #z $5 bcd", "", "a\n", "\n"], tmp_path) == "same"


def test_missing_numbers_beside_texts():
    """NaN and infinity go through a sparse scaler and are refused by the classifier behind it."""
    frame = pd.DataFrame({"text": ["a b", "b c", "c d", "d a"] * 5, "n": np.linspace(-1, 1, 20)})
    model = pipeline.make_pipeline(
        compose.ColumnTransformer([("t", CountVectorizer(token_pattern=r"\w"), "text"), ("n", "passthrough", ["n"])],
                                  sparse_threshold=1.0),
        preprocessing.MaxAbsScaler(), linear_model.LogisticRegression())
    model.fit(frame, np.arange(20) % 2)
    diff.compare(model, frame)
    for bad in (np.nan, np.inf):
        rows = frame.copy()
        rows.loc[3, "n"] = bad
        diff.compare(model, rows)


@diff.examples(8)
@given(seed=diff.seeds, weight=st.sampled_from([0.5, 2, 3.25]), dtype=st.sampled_from([np.float32, np.float64, np.int64]))
def test_unions(seed, weight, dtype):
    """Weighted parts, and float32 beside float64."""
    rng = np.random.default_rng(seed)
    y = np.arange(40) % 3
    parts = [("words", CountVectorizer(dtype=dtype)), ("chars", TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 2)))]
    union = pipeline.FeatureUnion(parts, transformer_weights={"words": weight})
    rows = texts(rng, 40)
    model = fitted(union, rows)
    if model is not None:
        compare(model, rows, ["transform"])
        compare(pipeline.make_pipeline(union, TfidfTransformer(norm="l1"), linear_model.LogisticRegression()).fit(rows, y), rows)


def test_results_do_not_depend_on_blocks():
    rng = np.random.default_rng(5)
    model = pipeline.make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), linear_model.LogisticRegression())
    model.fit(texts(rng, 60), np.arange(60) % 2)
    rows = pd.DataFrame({"text": [text or "x" for text in texts(rng, 500)]})
    diff.same_bytes(model, rows, "predict_proba", [], ["--batch-size", "7"], ["--threads", "3", "--batch-size", "64"])


@pytest.mark.parametrize("options, word", [
    ({"token_pattern": r"(\w)(\w)"}, "more than one group"), ({"token_pattern": r"(?x) \w+"}, "flags"),
    ({"token_pattern": r"(\w)\1"}, "back-reference"),
    ({"token_pattern": r"(?:\w+)*+"}, "possessively"), ({"token_pattern": r"(?:a|\b){,2}"}, "may be empty"),
    ({"token_pattern": r"a|(?:b){0}"}, "no times"), ({"tokenizer": str.split}, "tokenizer"),
    ({"preprocessor": str.upper}, "preprocessor"), ({"analyzer": str.split}, "analyzer"), ({"input": "filename"}, "input")])
def test_refused_by_name(options, word, tmp_path):
    model = CountVectorizer(vocabulary=["a"])
    model.set_params(**options)
    process = diff.run(diff.write_model(model, tmp_path), tmp_path / "none.csv", tmp_path / "out.csv")
    assert process.returncode == 3 and "UNSUPPORTED" in process.stderr and word in process.stderr, process.stderr


@pytest.mark.parametrize("model, refused", [
    (HashingVectorizer(ngram_range=(1, 10**9)), True), (CountVectorizer(vocabulary=["a" * 200], ngram_range=(1, 10**9)), True),
    (CountVectorizer(vocabulary=["a" * 90], ngram_range=(1, 10**9)), False)])
def test_endless_ngrams_are_refused(model, refused, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("text\na\n")
    process = diff.run(diff.write_model(model, tmp_path), rows, tmp_path / "out.csv")
    assert process.returncode == (3 if refused else 0) and ("ngram_range" in process.stderr) == refused, process.stderr


def test_a_character_that_a_class_names_twice_is_taken_once(tmp_path):
    assert compare_tokens(r"[a\S]+[!?]", ["a" * 60 + " aa!"], tmp_path) == "same"


def test_a_pattern_that_takes_for_ever_is_a_bad_row(tmp_path):
    model = CountVectorizer(token_pattern=r"(?:a+)+[b-d]", vocabulary=["ab"])
    rows = tmp_path / "rows.csv"
    rows.write_text("text\nab\n" + "a" * 5000 + "\n")
    process = diff.run(diff.write_model(model, tmp_path), rows, tmp_path / "out.csv", "--on-error", "null")
    assert process.returncode == 5, process.stderr
    assert (tmp_path / "out.csv").read_text().split("\n")[1:3] == ["1", '""']


def test_a_vocabulary_beyond_the_memory_ends_with_one_line(tmp_path):
    model = pipeline.make_pipeline(CountVectorizer(vocabulary={f"word{i}": i for i in range(400_000)}),
                                   naive_bayes.MultinomialNB()).fit(["word1", "word2"], [0, 1])
    path = diff.write_model(model, tmp_path)
    assert ftl.run("inspect", path).returncode == 0

    def small():
        resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20))
    process = ftl.run("inspect", path, preexec_fn=small)
    assert process.returncode == 1 and process.stderr.count("\n") == 1 and "memory" in process.stderr, process.stderr
