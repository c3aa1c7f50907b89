"""Which columns of a job's results are which method's."""

from collections.abc import Sequence

from foretell import _core


class Outputs:
    """The columns that the methods of a job's (first) model yield, in their order, and what they are."""

    def __init__(self, model: "_core.Model", methods: Sequence[str], model_name: str | None) -> None:
        self._columns = {method: [(each["name"], each["type"]) for each in model.outputs(method)] for method in methods}
        self._model_name = model_name

    def __contains__(self, method: object) -> bool:
        return method in self._columns

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods, the main one first."""
        return tuple(self._columns)

    def _name_in(self, names: Sequence[str], method: str, column: str) -> str | None:
        """What the column is called in the table: methods and models get in front where names would be alike."""
        model = f"{self._model_name}__" if self._model_name is not None else ""
        for name in (f"{model}{method}__{column}", f"{model}{column}"):
            if name in names:
                return name
        return None

    def find(self, method: str, names: Sequence[str]) -> list[str]:
        """The names of the method's columns in a table with these names."""
        found = [self._name_in(names, method, column) for column, _ in self._columns.get(method, [])]
        return [name for name in found if name is not None]

    def types(self, names: Sequence[str]) -> dict[str, str]:
        """What the results' columns of a table with these names are: as Model.outputs names types."""
        found: dict[str, str] = {}
        for method, columns in self._columns.items():
            for column, kind in columns:
                name = self._name_in(names, method, column)
                if name is not None:
                    found[name] = kind
        return found
