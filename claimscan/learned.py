"""A model of wording beside the rules: how likely a sentence states a slot, and which value, from its words alone.

Rules know the usual ways to say a thing; outside text says it in others. One logistic regression for each slot and value over
runs of words on the mask of people (scikit-learn, fitted by ``python -m claimscan.training fit`` from corpus/), released as plain
arrays and applied here as look-ups and sums. It is asked only where no rule found the slot, and answers only over a threshold at
which it was right often enough on documents of a writer it had not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import as_file, files
from math import exp, sqrt
from typing import Any

_FILE = "data/models/wording.npz"
STEM = 5  # letters that stand for a word and its forms
LONGEST = 1500  # characters of a sentence that are read
_TOKEN = re.compile(r"\u27e6(\w)~*\u27e7|(\d[\d,.]*)|([\u00a3%|?:;])|([a-z\u2019'-]+)", re.IGNORECASE)


def features(masked: str) -> list[str]:
    """What the model sees of a sentence on the mask: words, their first letters, runs of two and three, and pairs one apart.

    People are one token by kind, numbers one token, so that what is learned is how a thing is said and not who or how many.
    """
    words = []
    for people, number, mark, word in _TOKEN.findall(masked[:LONGEST]):
        words.append(f"<{people}>" if people else "<n>" if number else mark or word.lower().replace("\u2019", "'"))
    stems = [word if word[0] in "<\u00a3%|?:;" else word[:STEM] for word in words]
    found = dict.fromkeys(words)
    found.update((f"{stem}*", None) for stem in stems)
    for n in (2, 3):
        found.update((" ".join(stems[i : i + n]), None) for i in range(len(stems) - n + 1))
    found.update((f"{stems[i]} _ {stems[i + 2]}", None) for i in range(len(stems) - 2))
    return list(found)


@dataclass(frozen=True)
class Model:
    """Weights by feature. ``columns`` are slots ("payment") and values ("payment=paid"); ``bias`` has one number for each.
    ``weights`` gives, for a feature, pairs of column and weight. ``thresholds``: the probability a slot must reach; a slot that has
    none is never added."""

    columns: tuple[str, ...]
    bias: tuple[float, ...]
    weights: Mapping[str, Sequence[tuple[int, float]]]
    thresholds: Mapping[str, float]

    def probabilities(self, masked: str) -> dict[str, float]:
        """The probability of each column for a sentence on the mask."""
        seen = features(masked)
        if not seen:
            return {}
        scale = 1 / sqrt(len(seen))
        z = list(self.bias)
        for feature in seen:
            for column, weight in self.weights.get(feature, ()):
                z[column] += weight * scale
        return {name: 1 / (1 + exp(-max(-30.0, min(30.0, z[i])))) for i, name in enumerate(self.columns)}

    def stated(self, masked: str) -> dict[str, tuple[str, float]]:
        """The slots over their threshold, each with its likeliest value and the probability of the slot."""
        found = self.probabilities(masked)
        out = {}
        for slot, least in self.thresholds.items():
            if found.get(slot, 0.0) >= least:
                values = {name: p for name, p in found.items() if name.startswith(slot + "=")}
                if values:
                    out[slot] = (max(values, key=lambda name: values[name]).partition("=")[2], found[slot])
        return out


NONE = Model((), (), {}, {})
_trial: list[Model] = []


def model() -> Model:
    """The released model, or the one on trial while it is being fitted."""
    return _trial[-1] if _trial else _released()


@contextmanager
def on_trial(found: Model) -> Iterator[None]:
    """Use another model for a while (training only)."""
    _trial.append(found)
    try:
        yield
    finally:
        _trial.pop()


@cache
def _released() -> Model:
    import numpy

    with as_file(files("claimscan").joinpath(_FILE)) as path, numpy.load(path, allow_pickle=False) as arrays:
        return unpacked({name: arrays[name] for name in arrays.files})


def unpacked(arrays: Mapping[str, Any]) -> Model:
    """A model from its plain arrays: ``features`` and ``columns`` (UTF-8 lines), ``starts`` (where each feature's weights begin),
    ``column`` and ``weight`` (one entry for each weight), ``bias`` and ``thresholds`` (NaN for a column that has none).
    """
    columns = tuple(bytes(arrays["columns"]).decode().split("\n"))
    names = bytes(arrays["features"]).decode().split("\n")
    starts, column, weight = (arrays[name].tolist() for name in ("starts", "column", "weight"))
    pairs = list(zip(column, weight))
    weights = {name: pairs[starts[i] : starts[i + 1]] for i, name in enumerate(names)}
    limits = {name: float(t) for name, t in zip(columns, arrays["thresholds"].tolist()) if t == t}
    return Model(columns, tuple(arrays["bias"].tolist()), weights, limits)


def fingerprint() -> str:
    """SHA-256 of the released file, for the provenance."""
    return sha256(files("claimscan").joinpath(_FILE).read_bytes()).hexdigest()
