"""Floors under the figures: a change that makes claimscan worse on the test split does not pass.

The floors are in ``corpus/floors.json`` with a hash of the corpus they were measured on. A new corpus needs new floors
(``gate --write``); a floor is lowered only by ``--lower``, so that nobody does it without meaning to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from claimscan.errors import UsageError
from claimscan.training.evaluate import Item
from claimscan.training.figures import SCORED, calibration, headlines

SLACK = 0.005  # parsers differ in the last digits from machine to machine, and an item or two may turn over


def fingerprint(folder: Path) -> str:
    """SHA-256 over the names and bytes of every document of the corpus."""
    digest = sha256()
    for path in sorted((folder / "documents").glob("*.txt")):
        digest.update(path.name.encode() + b"\0" + sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def measured(runs: Mapping[str, Sequence[Item]]) -> dict[str, dict[str, float]]:
    """The headline figures of each run, by name of the run, with the calibration errors (negated: higher is better)."""
    out = {}
    for name, items in runs.items():
        errors = {
            f"calibration error, {kind or 'all'}": round(-calibration(items, kind)[0], 4) for kind in ("", *SCORED)
        }
        out[name] = headlines(items) | errors
    return out


def read(path: Path) -> dict[str, Any]:
    """The floors; empty where there are none yet."""
    floors: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return floors


def below(floors: Mapping[str, Any], now: Mapping[str, Mapping[str, float]]) -> list[str]:
    """A sentence for each figure that is under its floor."""
    return [
        f"{run}: {name} is {abs(now[run][name]):.3f}; the floor is {abs(floor):.3f}."
        for run, figures in floors.get("figures", {}).items()
        if run in now
        for name, floor in figures.items()
        if now[run][name] < floor - SLACK
    ]


def write(path: Path, corpus_hash: str, now: Mapping[str, Mapping[str, float]], lower: bool = False) -> None:
    """Write the figures as floors. Where the corpus is the same, higher figures replace lower ones.

    Raises:
        UsageError: a floor would come down and ``lower`` is not set.
    """
    old = read(path)
    same = old.get("corpus") == corpus_hash
    if same and not lower and (worse := below(old, now)):
        raise UsageError("\n".join(worse), "Mend it, or give --lower to lower the floors.")
    kept = old.get("figures", {}) if same else {}
    figures = {
        run: {
            name: value if lower else max(value, kept.get(run, {}).get(name, value)) for name, value in values.items()
        }
        for run, values in now.items()
    }
    text = json.dumps({"corpus": corpus_hash, "figures": {**kept, **figures}}, indent=1, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
