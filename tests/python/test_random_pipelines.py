"""Random pipelines of whatever the registry knows, every method against the libraries.

Faults sit where two libraries or two estimators meet. A seed makes a table, a model of it and rows to score
(pipeline_grammar.py, pipelines.py); a failure prints the smallest recipe that still fails and how to run it.
FTL_PIPELINE_SEEDS=12-15,40 chooses seeds.
"""

import collections
import os

import differential as diff
import golden
import pipeline_grammar as grammar
import pipelines
import pytest

FAST, LONG, GROUP = 96, 3000, 24
# At most so many draws a seed that the library refuses, and models of which the program says that it does not run them.
REFUSED, UNSUPPORTED = 0.4, 0.1


def chosen():
    """Groups of seeds, each a test: those of the environment, or the profile's."""
    text = os.environ.get("FTL_PIPELINE_SEEDS")
    if text:
        ends = [[int(end) for end in part.split("-")] for part in text.split(",")]
        return [list(range(first[0], first[-1] + 1)) for first in ends]
    count = LONG if diff.LONG else FAST
    return [list(range(first, first + GROUP)) for first in range(0, count, GROUP)]


def tried(seed, counts):
    """What is wrong with a seed's recipe, or None."""
    recipe, model, asked, refused = grammar.drawn(seed)
    counts["refused"] += refused
    try:
        pipelines.compared(recipe, model, asked)
    except pipelines.Unsupported as error:
        counts["unsupported"] += 1
        counts[f"unsupported: {error}"] += 1
    except golden.Disagreement as error:
        return f"seed {seed}: {pipelines.told(pipelines.shrink(recipe, str(error)))}"
    return None


@pytest.mark.parametrize("seeds", chosen(), ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_random_pipelines(seeds):
    counts = collections.Counter()
    wrong = [text for text in (tried(seed, counts) for seed in seeds) if text]
    assert not wrong, "\n\n".join(wrong)
    assert counts["refused"] <= max(3, REFUSED * (len(seeds) + counts["refused"])), counts
    assert counts["unsupported"] <= max(1, UNSUPPORTED * len(seeds)), counts


def test_every_class_is_placed():
    """What the registry learns is drawn, or stands among what is not, with the reason."""
    placed = set().union(*grammar.GRAMMAR.values())
    known = set(pipelines.KNOWN)
    assert known - placed - set(grammar.NOT_PLACED) == set()
    assert placed - known == set() and placed & set(grammar.NOT_PLACED) == set()


def test_the_seeds_of_every_run_have_every_kind():
    """Kinds of columns, of targets, of classes; each booster, producer and holder, and most parents of models."""
    recipes = [grammar.drawn(seed)[0] for seed in range(FAST)]
    met = {name for recipe in recipes for name in grammar.names_in(recipe["model"])}
    for kind, names in grammar.GRAMMAR.items():
        assert met & names, kind
        assert kind not in ("producers", "holders", "boosters") or names <= met, (kind, names - met)
        assert kind != "metas" or len(names & met) > len(names) / 2, names - met
    assert {kind for recipe in recipes for kind in recipe["columns"].values()} == set(pipelines.KINDS)
    assert {recipe["target"][0] for recipe in recipes} == {"classes", "labels", "value", "positive", "values", "none"}
