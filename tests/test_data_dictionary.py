"""docs/data-dictionary.md says what every column of every table is."""

import re
from pathlib import Path

import pytest

from claimscan import report
from claimscan.batch import tables
from claimscan.study import agreement_tables, estimate_tables

TEXT = (Path(__file__).parent.parent / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
NAMES = {"documents": "documents", "products": "products", "mentions": "mentions", "evidence": "evidence"}
NAMES |= dict.fromkeys(("failures", "passed_over"), "failures and passed_over (runs only)")


def section(heading):
    return re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)[1]


@pytest.mark.parametrize("name", NAMES)
def test_every_column_of_a_run_is_explained_with_its_type(name):
    told = {}
    for line in section(NAMES[name]).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0].startswith("`"):
            told |= dict.fromkeys(re.findall(r"`(\w+)`", cells[0]), cells[1])
    codes = report.categories()
    for column, kind in {**report.COLUMNS.get(name, {}), **tables.columns(name)}.items():
        assert column in told, f"{name}.{column}"
        wanted = "category" if (name, column) in codes else kind
        assert told[column].replace("ordered ", "") == wanted, f"{name}.{column}: {told[column]}, {wanted}"


@pytest.mark.parametrize(
    ("table", "columns"),
    [*agreement_tables.COLUMNS.items(), *estimate_tables.COLUMNS.items()],
    ids=lambda x: str(x)[:20],
)
def test_the_tables_of_a_study_are_explained(table, columns):
    part = section("The tables of a study")
    assert re.search(rf"`(agreement|estimates)/{table}`", part)
    if table in ("ratings", "counts"):
        row = next(line for line in part.splitlines() if f"/{table}`" in line)
        assert all(f"`{c}`" in row for c in columns if c not in ("document", "source", "id", "probability"))
