"""Which columns of a job's results are which method's."""

from collections.abc import Sequence

from foretell import _core
from foretell.inference._options import refuse


class Outputs:
    """The columns that a job writes behind those that it keeps: of the first model, then of the others.

    methods: of each model, in the order in which the job writes them; none: the model's usual one.
    keep: the columns that stand in front.
    """

    def __init__(
        self, models: Sequence["_core.Model"], methods: Sequence[str], keep: Sequence[str] | None
    ) -> None:
        self._blocks: list[tuple[str, list[str]]] = []  # a method and the types of its columns
        self._first = 0  # so many blocks are the first model's
        for model in models:
            for method in methods or (model.default_method,):
                self._blocks.append((method, [column["type"] for column in model.outputs(method)]))
            self._first = self._first or len(self._blocks)
        # The file of a model of open width does not say how many columns it takes, and gives.
        self._is_open = any(model.info()["open_width"] for model in models)
        self._kept = None if keep and "*" in keep else len(keep or ())

    def __contains__(self, method: object) -> bool:
        return method in self.methods

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of the first model, the main one first."""
        return tuple(method for method, _ in self._blocks[: self._first])

    def _blocks_in(self, names: Sequence[str]) -> list[tuple[str, list[str]]]:
        if not self._is_open:
            return self._blocks
        if len(self._blocks) > 1 or self._kept is None:
            raise refuse(
                "the model does not say how many columns it gives, so that they cannot be told from the others: "
                'leave out further methods and models and keep="*", or take the columns by their names'
            )
        method, types = self._blocks[0]
        return [(method, types[:1] * (len(names) - self._kept))]

    def find(self, method: str, names: Sequence[str]) -> list[str]:
        """The columns of the first model's method in a table with these names: by their place in it."""
        blocks = self._blocks_in(names)
        at = len(names) - sum(len(types) for _, types in blocks)
        for each, types in blocks[: self._first]:
            if each == method:
                return list(names[at : at + len(types)])
            at += len(types)
        return []

    def types(self, names: Sequence[str]) -> dict[str, str]:
        """What the results' columns of a table with these names are, as Model.outputs names types."""
        types = [kind for _, block in self._blocks_in(names) for kind in block]
        return dict(zip(names[len(names) - len(types) :], types, strict=True))
