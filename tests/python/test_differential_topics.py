"""Latent Dirichlet allocation: the topics of fresh models, against scikit-learn."""

import differential as diff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

WORDS = np.array("the cat sat on a mat and one dog ran off with its bone".split())


def counts(rng, rows, n):
    return rng.poisson(10.0 ** rng.uniform(-1, 1, n), (rows, n)).astype(float)


def rows_of(rng, x):
    rows = x[rng.integers(0, len(x), 20)].copy()
    rows[0] = 0
    rows[1] = -0.0
    rows[2] *= 1000
    rows[3] += 0.25
    rows[4, 0], rows[5, 0], rows[6, -1], rows[7, 0] = np.nan, np.inf, -1, -5e-324
    rows[8] *= 1e-300
    return rows


@diff.examples(15)
@given(seed=diff.seeds, n=st.sampled_from([1, 2, 7, 30]), topics=st.sampled_from([1, 2, 3, 8, 17, 130]), online=st.booleans(),
       iterations=st.sampled_from([0, 1, 5, 100]), prior=st.sampled_from([None, 0.01, 1.0]))
def test_topics(seed, n, topics, online, iterations, prior):
    rng = np.random.default_rng(seed)
    x = counts(rng, 40, n)
    model = LatentDirichletAllocation(topics, max_iter=2, random_state=0, learning_method="online" if online else "batch",
                                      max_doc_update_iter=iterations, doc_topic_prior=prior).fit(x)
    diff.compare(model, rows_of(rng, x))


@diff.examples(8)
@given(seed=diff.seeds, n=st.sampled_from([2, 9]), topics=st.sampled_from([2, 5]), single=st.booleans())
def test_single_precision(seed, n, topics, single):
    """A model of float32 turns rows into float32: what is too large then is refused. It goes on until nothing changes."""
    rng = np.random.default_rng(seed)
    x = counts(rng, 40, n).astype(np.float32)
    model = LatentDirichletAllocation(topics, max_iter=2, random_state=0, mean_change_tol=1e-9).fit(x)
    rows = rows_of(rng, x.astype(float))[:7]
    if not single:
        rows[3, 0] = 1e39
    diff.compare(model, rows.astype(np.float32 if single else np.float64))


class Texts(list):
    def __getitem__(self, rows):
        return Texts(list(self)[row] for row in rows) if isinstance(rows, list) else list(self)[rows]

    @property
    def table(self):
        return pd.DataFrame({"text": self})


@pytest.mark.parametrize("first", [CountVectorizer(), TfidfVectorizer(), TfidfVectorizer(dtype=np.float32)],
                         ids=["counts", "weights", "weights32"])
@pytest.mark.parametrize("behind", [False, True])
def test_texts(first, behind):
    rng = np.random.default_rng(3)
    texts = np.array([" ".join(rng.choice(WORDS, rng.integers(1, 12))) for _ in range(60)], dtype=object)
    steps = [first, LatentDirichletAllocation(4, max_iter=3, random_state=0, mean_change_tol=1e-9)]
    model = make_pipeline(*steps, *([LogisticRegression()] if behind else [])).fit(texts, rng.integers(0, 2, 60))
    rows = Texts(list(texts[:20]) + ["", "nothing known"])
    diff.compare(model, rows, ["predict"] if behind else ["transform"])


def test_one_hot_columns():
    rng = np.random.default_rng(4)
    x, rows = rng.integers(0, 4, (60, 3)), rng.integers(0, 5, (20, 3))
    for sparse in [True, False]:
        model = make_pipeline(OneHotEncoder(handle_unknown="ignore", sparse_output=sparse),
                              LatentDirichletAllocation(3, max_iter=3, random_state=0)).fit(x)
        diff.compare(model, rows.astype(float), ["transform"])


def test_too_many_steps_are_refused(tmp_path):
    model = LatentDirichletAllocation(2, max_iter=1, max_doc_update_iter=2**30).fit(np.ones((4, 3)))
    process = diff.run(diff.write_model(model, tmp_path), diff.write_rows(np.ones((2, 3)), tmp_path), tmp_path / "out.csv")
    assert process.returncode == 3 and "max_doc_update_iter" in process.stderr
