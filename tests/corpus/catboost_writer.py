"""Small CatBoost models, byte by byte: a FlatBuffers writer, and a model with every kind of split in it."""

import struct


class Scalar:
    def __init__(self, form, value):
        self.data = struct.pack("<" + form, value)


def i32(value):
    return Scalar("i", value)


class Vector:
    """Items of struct's form, or tables and texts."""
    def __init__(self, items, form=None):
        self.items, self.form = list(items), form


class Table(dict):
    """Field number to value."""


def _place(out, value):
    """Appends a value; returns where it begins."""
    while len(out) % 8:
        out.append(0)
    if isinstance(value, str):
        text = value.encode()
        at = len(out)
        out += struct.pack("<I", len(text)) + text + b"\0"
        return at
    if isinstance(value, Vector):
        at = len(out)
        if value.form is not None:
            items = [item if isinstance(item, tuple) else (item,) for item in value.items]
            out += struct.pack("<I", len(items)) + b"".join(struct.pack("<" + value.form, *item) for item in items)
            return at
        out += struct.pack("<I", len(value.items)) + b"\0" * 4 * len(value.items)
        for i, item in enumerate(value.items):
            slot = at + 4 + 4 * i
            struct.pack_into("<I", out, slot, _place(out, item) - slot)
        return at
    return _place_table(out, value)


def _place_table(out, table):
    count = max(table, default=-1) + 1
    offsets, inline = [0] * count, bytearray(4)
    for field, value in sorted(table.items()):
        data = value.data if isinstance(value, Scalar) else b"\0" * 4
        offsets[field] = len(inline)
        inline += data
    vtable = struct.pack("<HH", 4 + 2 * count, len(inline)) + struct.pack("<%dH" % count, *offsets)
    start = len(out)
    out += vtable
    at = len(out)
    struct.pack_into("<i", inline, 0, at - start)
    out += inline
    for field, value in sorted(table.items()):
        if not isinstance(value, Scalar):
            slot = at + offsets[field]
            struct.pack_into("<I", out, slot, _place(out, value) - slot)
    return at


def flatbuffer(table):
    out = bytearray(4)
    at = _place(out, table)
    struct.pack_into("<I", out, 0, at)
    return bytes(out)


def feature(first, index, flat, name, **more):
    """A float (first 1) or categorical (first 0) column."""
    made = Table({first: i32(index), first + 1: i32(flat)})
    made[4 if first else 2] = name
    made.update(more.get("fields", {}))
    return made


def projection(**more):
    return Table({0: Vector(more.get("categories", [0]), "i"), 1: Vector(more.get("above", [(0, 0.5)]), "if"),
                  2: Vector([(0, 77)], "ii")})


def base(kind, **more):
    return Table({0: projection(**more), 1: Scalar("b", kind)})


def key_table(**more):
    """Target statistics of two keys in four buckets."""
    buckets = more.get("buckets", [(5, 0), (2 ** 64 - 1, 0), (6, 1), (2 ** 64 - 1, 0)])
    index = b"".join(struct.pack("<QI", *bucket) for bucket in buckets)
    return flatbuffer(Table({0: base(0, **more), 1: Vector(index, "B"),
                             2: Vector(struct.pack("<4i", 3, 1, 0, more.get("count", 7)), "B"), 3: i32(10),
                             4: i32(more.get("classes", 2))}))


def model(**more):
    """A .cbm file: two trees over a float, a category compared with one value, and one target statistic."""
    numeric = feature(1, 0, 0, "x", fields={0: Scalar("b", 1), 3: Vector(more.get("borders", [0.5, 2.5]), "f"),
                                            5: Scalar("b", more.get("nan_rule", 2))})
    ctr = Table({0: base(more.get("statistic", 0), **more), 1: i32(0), 2: Scalar("f", 0.5), 3: Scalar("f", 1.0),
                 5: Scalar("f", 15.0)})
    trees = Table({
        0: i32(more.get("width", 1)), 1: Vector(more.get("splits", [0, 2, 3, 1]), "i"),
        2: Vector(more.get("sizes", [3, 1]), "i"), 4: Vector([feature(0, 0, more.get("flat", 1), "c")]),
        5: Vector([numeric]), 6: Vector([Table({0: i32(more.get("matched", 0)), 1: Vector([77], "i")})]),
        7: Vector([Table({0: ctr, 1: Vector([1.5, 7.5], "f")})]),
        8: Vector(more.get("values", [0.25 * i for i in range(10)]), "d"), 14: Scalar("d", 0.5),
        16: Vector(more.get("bias", [1.5]), "d")})
    trees.update(more.get("trees", {}))
    info = {"class_params": "", "params": '{"loss_function":{"type":"RMSE"}}'}
    info.update(more.get("info", {}))
    pairs = [Table({0: key, 1: value}) for key, value in sorted(info.items()) if value]
    core = flatbuffer(Table({0: more.get("format", "FlabuffersModel_v1"), 1: trees, 2: Vector(pairs),
                             3: Vector(more.get("parts", ["static_provider_v1"]))}))
    tables = more.get("tables", [key_table(**more)])
    part = struct.pack("<I", len(tables)) + b"".join(struct.pack("<I", len(t)) + t for t in tables)
    return b"CBM1" + struct.pack("<I", len(core)) + core + part


def uneven(**more):
    """Two trees that are not oblivious: a node that ends on one side, and a single leaf."""
    return model(splits=[0, 0, 0, 0], sizes=[3, 1], values=[1.0, 2.0, 3.0, 4.0], trees={
        10: Vector(more.get("steps", [(0, 1), (0, 1), (0, 0), (0, 0)]), "HH"),
        11: Vector(more.get("leaves", [0, 1, 2, 3]), "I")})
