"""Scores are probabilities from released tables, applied as plain arithmetic."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import claimscan
from claimscan import scoring

TEXT = (
    "This plan was co-produced with tenants. Nine tenants met the surveyor every month and changed the order of the repairs.\n\n"
    "We will co-produce a leaflet."
)
MODEL = {"bias": -0.5, "weights": [1.0, -2.0]}


@given(st.lists(st.floats(-8, 8), min_size=2, max_size=2))
def test_a_probability_is_a_probability(features):
    assert 0 <= scoring.probability(MODEL, features) <= 1
    more = [features[0] + 1, features[1]]
    assert scoring.probability(MODEL, more) >= scoring.probability(MODEL, features)


def test_a_rule_that_was_never_seen_has_the_rate_of_its_kind():
    table = {"rules": {"good": [50, 50], "bad": [0, 50]}, "kinds": {"stage": [50, 100]}, "all": 0.5}
    assert (
        scoring.rate(table, "bad", "stage") < scoring.rate(table, "new", "stage") < scoring.rate(table, "good", "stage")
    )
    assert scoring.rate(table, "new", "stage") == pytest.approx(0.5)
    assert scoring.rate(table, "new", "unheard of") == pytest.approx(0.5)


def test_every_score_of_a_report_is_from_the_tables():
    report = claimscan.check_text(TEXT)
    data = report.to_dict()
    assert all(0 < item["score"] < 1 for kind in ("mentions", "products", "evidence") for item in data[kind])
    finding = report.findings["p1"]
    links = scoring.deciding(finding)
    assert links and set(links) <= {e["id"] for e in data["evidence"]}
    assert data["provenance"]["scores"] == scoring.fingerprint()


def test_other_tables_give_other_scores_and_are_put_away():
    before = claimscan.check_text(TEXT).to_dict()
    widths = {kind: len(scoring.tables()[kind]["weights"]) for kind in ("mention", "evidence", "grade")}
    even = {
        kind: {"rules": {}, "kinds": {}, "all": 0.5, "bias": 0.0, "weights": [0.0] * n} for kind, n in widths.items()
    }
    with scoring.on_trial(even):
        during = claimscan.check_text(TEXT).to_dict()
    assert {item["score"] for item in (*during["mentions"], *during["products"], *during["evidence"])} == {0.5}
    assert claimscan.check_text(TEXT).to_dict() == before


def test_no_scikit_learn_at_run_time():
    code = f"import claimscan, sys; claimscan.check_text({TEXT!r}); print('sklearn' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_the_released_tables_are_those_of_the_corpus():
    """A change to the corpus asks for a new fit; models/ says which corpus the tables are from."""
    from claimscan.training import floors

    folder = Path(__file__).parent.parent
    released = json.loads((folder / "claimscan" / "data" / "models" / "scores.json").read_text(encoding="utf-8"))
    assert released["corpus"] == floors.fingerprint(folder / "corpus")
