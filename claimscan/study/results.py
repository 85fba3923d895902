"""The results of a study, made from what it holds: agreement, estimates, and the report. Each can be made again to the same bytes.

results/agreement/   ratings, agreement, codes, spans, disagreements
results/estimates/   counts, estimates
results/report.html, methods.txt, figures/
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from claimscan.codebook import tables as codebook_tables
from claimscan.errors import UsageError
from claimscan.files import write_whole
from claimscan.study import agreement_tables, estimate_tables, figures, methods
from claimscan.study.agreement_tables import COLUMNS as AGREEMENT
from claimscan.study.estimate_tables import COLUMNS as ESTIMATES
from claimscan.study.estimate_tables import METHODS
from claimscan.study.folder import Study
from claimscan.study.frameworks import framework as framework_of

FOLDER = "results"
_FIRST = ("claim", "type", "thing", "status", "level", "band")  # what the terminal shows of agreement

Tables = Mapping[str, Sequence[Mapping[str, Any]]]


def agreement(study: Study, coders: Sequence[str], *, seed: int, draws: int) -> Tables:
    """Make and keep the tables of agreement, and note how."""
    made = agreement_tables.made(study, coders, seed=seed, draws=draws)
    _keep(study, "agreement", made, AGREEMENT)
    study.note("agreement", {"coders": list(coders), "seed": seed, "draws": draws})
    return made


def estimate(study: Study, *, gold: str = "", by: str = "", framework: str = "") -> Sequence[Mapping[str, Any]]:
    """Make and keep the estimates, and note how."""
    ladder = framework_of(framework) if framework else None
    counted = estimate_tables.counts(study, gold, by)
    made = estimate_tables.estimates(counted, framework=ladder)
    _keep(study, "estimates", {"counts": counted, "estimates": made}, ESTIMATES)
    study.note("estimate", {"gold": gold, "by": by, "framework": framework})
    return made


def report(study: Study) -> list[str]:
    """Make and keep the report of what has been made so far. Returns the paths of its files."""
    found = {name: _table(study, "agreement", name) for name in AGREEMENT}
    found |= {name: _table(study, "estimates", name) for name in ESTIMATES}
    if not found["agreement"] and not found["estimates"]:
        raise UsageError("There is nothing to report yet.", "Measure agreement or estimate shares first.")
    drawn = figures.drawn(found["agreement"], found["estimates"])
    text = methods.paragraph(study, found)
    page = methods.page(study, found, drawn, text)
    written = {"methods.txt": text.encode(), "report.html": page.encode()}
    for figure in drawn:
        for suffix, data in figure.files.items():
            written[f"figures/{figure.name}{suffix}"] = data
        written[f"figures/{figure.name}.txt"] = (figure.text + "\n").encode()
    paths = []
    for name, data in written.items():
        paths.append(study.path(FOLDER, *name.split("/")))
        os.makedirs(os.path.dirname(paths[-1]), exist_ok=True)
        write_whole(paths[-1], data)
    study.note("report", {})
    return paths


def again(study: Study) -> None:
    """Make every result again that the study says was made, with the settings it notes.

    Where the documents' texts are not there (an archive without them), what follows from the texts is taken from the tables of
    ratings and counts as it is, and the rest is made again.
    """
    rows = study.sample()
    texts = all(os.path.exists(study.path("documents", f"{row['document']}.reading.gz")) for row in rows)
    if said := study.step("agreement"):
        if texts:
            agreement(study, said["coders"], seed=said["seed"], draws=said["draws"])
        else:
            rated = _table(study, "agreement", "ratings")
            made = agreement_tables.tables_of(rated, seed=said["seed"], draws=said["draws"])
            _keep(study, "agreement", made, AGREEMENT)
    if said := study.step("estimate"):
        if texts:
            estimate(study, gold=said["gold"], by=said["by"], framework=said["framework"])
        else:
            counted = _table(study, "estimates", "counts")
            ladder = framework_of(said["framework"]) if said["framework"] else None
            made_again = estimate_tables.estimates(counted, framework=ladder)
            _keep(study, "estimates", {"counts": counted, "estimates": made_again}, ESTIMATES)
    if "report" in {step["step"] for step in study.about["steps"]}:
        report(study)


def _keep(study: Study, folder: str, made: Tables, columns: Mapping[str, Sequence[str]]) -> None:
    for name, rows in made.items():
        study.keep_table(os.path.join(FOLDER, folder, f"{name}.csv"), rows, columns[name])


def _table(study: Study, folder: str, name: str) -> list[dict[str, str]]:
    return study.table(os.path.join(FOLDER, folder, f"{name}.csv"))


# --- what the terminal says -------------------------------------------------------------------------------------------


def agreement_told(made: Tables) -> str:
    """The figures that are looked at first, as lines of text."""
    rows = {row["variable"]: row for row in made["agreement"]}
    first = next(iter(rows.values()))
    lines = [f"Between {first['coders']}; alpha with its 95% interval, by document.", ""]
    lines.append(f"{'':22}{'units':>6} {'percent':>8} {'alpha':>7} {'':17} {'target':<28} reached")
    slots = [name for name in rows if name.startswith(("stated ", "value "))]
    for name in [*(n for n in _FIRST if n in rows), *slots]:
        row = rows[name]
        interval = f"({row['alpha_low']}, {row['alpha_high']})" if row["alpha_low"] else ""
        percent = f"{100 * float(row['percent']):.0f} %" if row["percent"] else "-"
        alpha = row["alpha"] or "-"
        lines.append(
            f"{name.replace('_', ' '):22.22}{row['units']:>6} {percent:>8} {alpha:>7} {interval:17} "
            f"{row['target']:<28} {row['reached']}"
        )
    lines.append(
        f"\n{len(made['disagreements']):,} disagreements; disagreements.csv has what to discuss first at its top."
    )
    return "\n".join(lines)


def estimate_told(made: Sequence[Mapping[str, Any]]) -> str:
    """The shares of documents at each grade, by every method, as lines of text."""
    wanted = [row for row in made if row["of"] == "documents" and row["variable"] == "grade" and not row["group"]]
    by_value: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in wanted:
        by_value.setdefault(row["value"], {})[row["method"]] = row
    lines = ["Share of documents at each grade, with 95% intervals. “Biased” means off by claimscan's mistakes.", ""]
    names = {**{level.id: level.label for level in codebook_tables().levels}}
    for value, by_method in by_value.items():
        if not any(float(row["share"] or 0) for row in by_method.values()):
            continue
        lines.append(f"{value} {names.get(value, '')}".strip())
        for method, row in by_method.items():
            share = f"{100 * float(row['share']):5.1f} %" if row["share"] else "   -   "
            interval = f"({100 * float(row['low']):.1f} to {100 * float(row['high']):.1f})" if row["low"] else ""
            lines.append(f"    {METHODS[method]:52} {share} {interval} {row['note']}".rstrip())
    return "\n".join(lines)
