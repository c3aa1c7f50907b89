"""Which columns of a job's results are which method's."""

from collections.abc import Sequence

from foretell import _core


class Outputs:
    """The columns that a job writes behind those that it keeps: of the first model, then of the others.

    methods: of each model, in the order in which the job writes them; none: the model's usual one.
    """

    def __init__(self, models: Sequence["_core.Model"], methods: Sequence[str]) -> None:
        self._blocks: list[tuple[str, list[str]]] = []  # a method and the types of its columns
        self._first = 0  # so many blocks are the first model's
        for model in models:
            for method in methods or (model.default_method,):
                self._blocks.append((method, [column["type"] for column in model.outputs(method)]))
            self._first = self._first or len(self._blocks)
        self._width = sum(len(types) for _, types in self._blocks)

    def __contains__(self, method: object) -> bool:
        return method in self.methods

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of the first model, the main one first."""
        return tuple(method for method, _ in self._blocks[: self._first])

    def find(self, method: str, names: Sequence[str]) -> list[str]:
        """The columns of the first model's method in a table with these names: by their place in it."""
        at = len(names) - self._width
        for each, types in self._blocks[: self._first]:
            if each == method:
                return list(names[at : at + len(types)])
            at += len(types)
        return []

    def types(self, names: Sequence[str]) -> dict[str, str]:
        """What the results' columns of a table with these names are, as Model.outputs names types."""
        types = [kind for _, block in self._blocks for kind in block]
        return dict(zip(names[len(names) - len(types) :], types, strict=True))
