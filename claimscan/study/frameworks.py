"""Grades expressed in the terms of other ladders of involvement, with what does not fit (codebook 3.5)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from claimscan.codebook import LEVELS, Tables, tables
from claimscan.errors import UsageError

if TYPE_CHECKING:
    import pandas

NO_COUNTERPART = "no counterpart"


@dataclass(frozen=True, slots=True)
class Framework:
    """Another ladder.

    Attributes:
        name: by which a user asks for it. ``column``: its name in the crosswalk table.
        source: the publication. ``misfits``: sentences that have to stand beside any table in its terms.
    """

    name: str
    column: str
    source: str
    misfits: tuple[str, ...]

    def term(self, grade: str, table: Tables | None = None) -> str:
        """What a grade corresponds to; :data:`NO_COUNTERPART` for a status that is off the scale."""
        return (table or tables()).crosswalk.get(grade, {}).get(self.column, NO_COUNTERPART)

    def terms(self, table: Tables | None = None) -> tuple[str, ...]:
        """Every term, lowest first, then :data:`NO_COUNTERPART`."""
        return (*dict.fromkeys(self.term(level, table) for level in LEVELS), NO_COUNTERPART)

    def express(self, grades: pandas.Series, table: Tables | None = None) -> pandas.Series:
        """A column of grades in the framework's terms: an ordered category, off-scale statuses without a counterpart."""
        import pandas

        kind = pandas.CategoricalDtype(list(dict.fromkeys(self.terms(table))), ordered=True)
        said = [None if pandas.isna(grade) else self.term(str(grade), table) for grade in grades]
        return pandas.Series(said, index=grades.index, name=self.column).astype(kind)


@cache
def frameworks() -> Mapping[str, Framework]:
    """The ladders of the crosswalk, by the name that a user gives."""
    text = (files("claimscan") / "data" / "study" / "frameworks.toml").read_text(encoding="utf-8")
    return {
        name: Framework(name, row["column"], row["source"], tuple(row["misfits"]))
        for name, row in tomllib.loads(text).items()
    }


def framework(name: str) -> Framework:
    """One of them.

    Raises:
        UsageError: there is none of this name.
    """
    if name not in frameworks():
        raise UsageError(f"“{name}” is no framework that claimscan knows.", f"Use one of {', '.join(frameworks())}.")
    return frameworks()[name]
