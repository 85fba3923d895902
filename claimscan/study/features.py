"""What documents say about involvement as a table of numbers, for models made with scikit-learn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from claimscan import pipeline
from claimscan.codebook import LEVELS, MENTION_TYPES, tables
from claimscan.report import Report
from claimscan.showing.wording import UNSTATED


class InvolvementFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer from documents to counts: uses of the word by type, evidence by slot and value, things by grade.

    It has nothing to learn, so it can stand first in a pipeline and in cross-validation. Shape of the result: documents by
    :meth:`get_feature_names_out`; missing evidence is 0, which means “not stated” and never “no”.

    Args:
        words: also how many words a document has, so that counts can be taken per word.
    """

    def __init__(self, words: bool = True) -> None:
        self.words = words

    def fit(self, X: Iterable[str | Report], y: object = None) -> InvolvementFeatures:
        """Nothing is learned. Returns itself."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, X: Iterable[str | Report]) -> NDArray[np.float64]:
        """Counts for each text, or for each report that was made already.

        Raises:
            TypeError: one is neither.
        """
        names = {name: at for at, name in enumerate(self._names())}
        rows = []
        for item in [X] if isinstance(X, str) else X:
            report = item if isinstance(item, Report) else pipeline.check_text(_text(item))
            row = np.zeros(len(names))
            found = [f"type {m.type}" for m in report.mentions]
            found += [f"{e.slot} {e.value}" for e in report.evidence if e.product]
            found += [f"grade {finding.grade}" for finding in report.findings.values()]
            for name in found:
                if name in names:
                    row[names[name]] += 1
            if self.words:
                row[names["words"]] = len(report.text.split())
            rows.append(row)
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(names))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:
        """The names of the columns, in order; the same for every version of the same codebook."""
        return np.array(self._names(), dtype=object)

    def _names(self) -> list[str]:
        table = tables()
        values = [f"{slot} {v}" for slot, row in table.slots.items() for v in row.values if v not in UNSTATED]
        grades = [f"grade {grade}" for grade in (*LEVELS, *table.statuses)]
        return [*(["words"] if self.words else []), *(f"type {t}" for t in MENTION_TYPES), *values, *grades]


def _text(item: object) -> str:
    """The text, where it is one."""
    if not isinstance(item, str):
        raise TypeError(f"a document is a text or a Report, and this is a {type(item).__name__}")
    return item
