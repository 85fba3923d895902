"""Find claims that something was co-produced, and grade what the document itself shows.

The public names are loaded on first use, so that ``claimscan --help`` starts quickly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claimscan.pipeline import check, check_text
    from claimscan.report import Report

__version__ = "0.1.0"
__all__ = ["Report", "check", "check_text"]


def __getattr__(name: str) -> Any:
    if name in ("check", "check_text"):
        from claimscan import pipeline

        return getattr(pipeline, name)
    if name == "Report":
        from claimscan.report import Report

        return Report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
