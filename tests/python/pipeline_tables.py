"""Steps of random pipelines from a table to a matrix: encoders, vectorizers, columns apart and joined."""

import dataclasses

import pipelines
from pipeline_draw import Form
from pipeline_steps import FILLERS, one_step, several_steps, supervised

TABLE_ENCODERS = ["category_encoders.OneHotEncoder", "category_encoders.OrdinalEncoder", "category_encoders.TargetEncoder",
                  "BaseNEncoder",
                  "BinaryEncoder"]


def numbers_part(d, names):
    kinds = {d.columns[n] for n in names}
    f = Form(gaps="gaps" in kinds or d.gapped, large="large" in kinds, spread="real" in kinds)
    if d.chance(0.25):
        return "passthrough", f
    nodes = []
    if f.gaps and d.chance(0.7):
        filler, f = one_step(d, f, FILLERS)
        nodes.append(filler)
        if d.frames and d.chance(0.2):
            nodes[-1] = (filler[0], dict(filler[1], set_output="pandas"), *filler[2:])
    more, f = several_steps(d, dataclasses.replace(f, wide=len(names) > 4), 1 if d.exact else 2)
    return piped(nodes + more) or "passthrough", f


def table_encoder(d):
    """Of category_encoders: its columns are those of texts; what it learns of a target is numbers."""
    name = d.one([n for n in TABLE_ENCODERS if d.target[0] in ("value", "positive") or "Target" not in n])
    params = {"handle_unknown": d.one(["value", "return_nan"]), "return_df": d.chance(0.5)}
    return (name, params), Form(gaps=params["handle_unknown"] == "return_nan", rounded="Target" in name,
                                wide="Target" not in name)


def encoder(d, kinds):
    if "BaseNEncoder" in d.favourites and kinds <= {"word", "plan", "hole", "text"}:
        return table_encoder(d)
    lacks = bool(kinds & {"maybe", "hole", "lack"})
    name = d.name(["OneHotEncoder", "OneHotEncoder", "OrdinalEncoder", "TargetEncoder"] if supervised(d)
                  else ["OneHotEncoder", "OrdinalEncoder"])
    if name == "OneHotEncoder":
        params = {"handle_unknown": d.one(["ignore", "ignore", "infrequent_if_exist", "error"])}
        if d.chance(0.4):
            params["sparse_output"] = False
        if params["handle_unknown"] == "infrequent_if_exist" or d.chance(0.2):
            params["min_frequency"] = d.one([5, 0.1])
        if d.chance(0.2):
            params["drop"] = d.one(["first", "if_binary"])
        return (name, params), Form(sparse=params.get("sparse_output", True), negative=False, wide=True)
    if name == "OrdinalEncoder":
        params = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
        return (name, dict(params, encoded_missing_value=-2) if lacks or d.chance(0.3) else params), Form(gaps=False)
    return (name, {"cv": 2, "random_state": 0, "smooth": d.one(["auto", 2.0])}), Form(rounded=False)


def categories_part(d, names):
    kinds = {d.columns[n] for n in names}
    nodes = []
    if kinds <= {"word", "plan", "hole", "string"} and d.chance(0.4):
        nodes.append(("SimpleImputer", d.one([{"strategy": "most_frequent"},
                                              {"strategy": "constant", "fill_value": "none"}])))
    elif kinds <= {"maybe"} and d.chance(0.4):
        nodes.append(("SimpleImputer", d.one([{"strategy": "most_frequent"},
                                              {"strategy": "constant", "fill_value": False}])))
    elif len(kinds) == 1 and kinds <= {"id", "whole"} and d.chance(0.4):
        nodes.append(("SimpleImputer", {"strategy": "most_frequent"}))
    node, f = encoder(d, kinds)
    return piped([*nodes, node]), f


def texts_part(d):
    name = d.name(["CountVectorizer", "TfidfVectorizer", "HashingVectorizer"])
    params = {"ngram_range": d.one([(1, 1), (1, 2)])} if d.chance(0.5) else {}
    f = Form(sparse=True, negative=False, wide=True)
    if name == "HashingVectorizer":
        params.update(n_features=8, norm=d.one([None, "l2"]), alternate_sign=d.chance(0.6))
        f = dataclasses.replace(f, negative=params["alternate_sign"], rounded=params["norm"] is not None)
    if name == "TfidfVectorizer":
        f = dataclasses.replace(f, rounded=True)
        params.update({"dtype": "np.float32"} if d.chance(0.3) else {})
    if name == "CountVectorizer" and d.chance(0.3):
        return piped([(name, params), ("TfidfTransformer", {})]), dataclasses.replace(f, rounded=True)
    return (name, params), f


def joined(parts):
    """The form of matrices side by side."""
    forms = [f for _, f, _ in parts]
    return Form(**{key: any(getattr(f, key) for f in forms)
                   for key in ("sparse", "gaps", "negative", "large", "rounded", "spread")},
                wide=True if len(parts) > 1 else forms[0].wide)


def columns_node(d, among, depth):
    """(a ColumnTransformer of some of the columns, its form)."""
    parts = []
    numbers = d.of_kind(pipelines.NUMBERS, among)
    categories = d.of_kind(pipelines.CATEGORIES, among)
    words = d.of_kind(["text"], among)
    if numbers and d.chance(0.85):
        names = d.some(numbers)
        node, f = columns_node(d, names, depth - 1) if depth and d.chance(0.2) else numbers_part(d, names)
        if d.columns[names[0]] == "gaps" and d.chance(0.2):
            parts.append((("MissingIndicator", {"features": "all"}), Form(negative=False), names[:1]))
        parts.append((node, f, names))
    kinds = {}
    for name in categories:
        if d.chance(0.8) and not any(name in names for _, _, names in parts):
            kinds.setdefault(d.columns[name] if d.chance(0.5) else d.one(["one", "two"]), []).append(name)
    for group in kinds.values():
        parts.append((*categories_part(d, group), group))
    if words and d.chance(0.85):
        parts.append((*texts_part(d), words[0]))
    if not parts:
        names = numbers or categories
        part = numbers_part(d, names) if numbers else categories_part(d, names) if names else texts_part(d)
        parts.append((*part, names or words[0]))
    d.stream.shuffle(parts)
    f = joined(parts)
    threshold = d.one([0, 0.3, 1.0, 1.0]) if f.sparse else 0.3
    params = {"sparse_threshold": threshold}
    if threshold == 0:
        f = dataclasses.replace(f, sparse=False)
    if d.chance(0.15):
        params["transformer_weights"] = {"c0": d.one([0.5, 3.0])}
    if len(parts) == 1 and isinstance(parts[0][0], str):
        params["sparse_threshold"] = 0.3
    return ("ColumnTransformer", params, *((node, names) for node, _, names in parts)), f


def table_node(d, among=None, depth=1):
    """(what makes a matrix of the table, its form)."""
    among = among or list(d.columns)
    if d.chance(0.2):
        parts = [columns_node(d, d.some(among), 0) for _ in range(2)]
        return ("FeatureUnion", {}, *(node for node, _ in parts)), joined([(*p, None) for p in parts])
    return columns_node(d, among, depth)


def piped(nodes):
    """One node of several."""
    return nodes[0] if len(nodes) == 1 else ("Pipeline", {}, *nodes) if nodes else None
