"""The page on how well it works says what it is known to get wrong."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_known_failure_is_on_the_page():
    known = tomllib.loads((ROOT / "tests" / "data" / "known_failures.toml").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "how-well-it-works.md").read_text(encoding="utf-8")
    reasons = [row["why"] for rows in known.values() for row in rows]
    assert reasons and not [why for why in reasons if why not in page]
