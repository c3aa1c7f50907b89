"""What random pipelines are drawn with: the forms of what flows between steps, and the choices of a seed."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Form:
    """What reaches a step. rounded: sums that libraries and the program round each in their way; spread: a column of
    which no two rows share the value, so that no two distances are equal."""
    sparse: bool = False
    gaps: bool = False
    negative: bool = True
    large: bool = False
    rounded: bool = False
    wide: bool = False
    spread: bool = False


class Draw:
    """The choices of one seed; some classes are this seed's favourites."""

    def __init__(self, stream, columns, target, favourites):
        self.stream, self.columns, self.target, self.favourites = stream, columns, target, favourites
        # cloned: the library refuses to clone a CatBoost that was told which columns are categories.
        self.array, self.cloned = False, False
        self.one, self.chance = stream.choice, lambda share: stream.random() < share

    def some(self, things, least=1):
        things = list(things)
        return [things[i] for i in sorted(self.stream.sample(range(len(things)),
                                                             self.stream.randint(min(least, len(things)), len(things))))]

    def name(self, names):
        """One of the names; favourites twelve times as often, and that again for each time that they are named."""
        return self.stream.choices(names, [1 + 12 * self.favourites.count(n) for n in names])[0]

    def of_kind(self, kinds, among=None):
        return [c for c, kind in self.columns.items() if kind in kinds and (among is None or c in among)]

    @property
    def classifies(self):
        return self.target[0] in ("classes", "labels")
