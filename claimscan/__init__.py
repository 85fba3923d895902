"""Find claims that something was co-produced, and grade what the document itself shows.

The public names are loaded on first use, so that ``claimscan --help`` starts quickly.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claimscan.batch import scan
    from claimscan.pipeline import check, check_text
    from claimscan.report import Report

__version__ = "0.1.0"
__all__ = ["Report", "check", "check_text", "scan"]


_HOMES = {
    "Report": "claimscan.report",
    "check": "claimscan.pipeline",
    "check_text": "claimscan.pipeline",
    "scan": "claimscan.batch",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
