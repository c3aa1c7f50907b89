"""Latent Dirichlet allocation: topics of counts, of dense rows and behind vectorizers."""
import numpy as np
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from case_data import Input
from case_text import DOCS, LABELS, TRAIN

RS = np.random.RandomState(21)
COUNTS = RS.poisson(0.8, (40, 9)).astype(float)
ROWS = Input("words", np.vstack([COUNTS[:5], np.zeros((1, 9)), COUNTS[5:8] * 2.5, [[0] * 8 + [700.0]]]))
ROWS32 = Input("words_32", ROWS.x.astype(np.float32), form="npy")
NEGATIVE = Input("negative_words", np.vstack([COUNTS[:1], -COUNTS[1:2] - 1]))
NAN = Input("nan_words", np.vstack([COUNTS[:1], np.full((1, 9), np.nan)]))


def slim(model, x, y=None):
    """Fitted, without the random generator, which transform does not look at."""
    model.fit(x, y)
    for _, step in getattr(model, "steps", [(None, model)]):
        if hasattr(step, "random_state_"):
            step.random_state_ = None
    return model


def add_cases(c):
    def add(name, make, x, y=None, **more):
        c.add(name, lambda: slim(make(), x, y), x, y, fitted=True, **more)

    def topics(n=3, **options):
        return LatentDirichletAllocation(n, random_state=0, max_iter=3, **options)

    add("topics", topics, COUNTS, on=[ROWS, ROWS32], raises=[NEGATIVE, NAN])
    add("topics_online", lambda: topics(4, learning_method="online", batch_size=16, doc_topic_prior=0.7), COUNTS, on=[ROWS])
    add("topics_few", lambda: topics(12, max_doc_update_iter=4, mean_change_tol=0.0), COUNTS, on=[ROWS])
    add("topics_none", lambda: topics(2, max_doc_update_iter=0), COUNTS, on=[ROWS])
    add("topics_single", lambda: topics(3, mean_change_tol=1e-9), COUNTS.astype(np.float32), on=[ROWS, ROWS32])
    texts = np.array(TRAIN, dtype=object)
    add("topics_text", lambda: make_pipeline(CountVectorizer(), topics(3)), texts, on=[DOCS])
    add("topics_logreg", lambda: make_pipeline(CountVectorizer(), topics(3), LogisticRegression(solver="liblinear", random_state=0)),
        texts, LABELS, on=[DOCS])
