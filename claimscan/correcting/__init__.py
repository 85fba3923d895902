"""What a person changes by hand in a report, and the same rules on what is left.

A correction names words of the document (never only an id), what was read from them and what a person says instead. It can
be kept, sent on and applied to another reading of the document: :func:`load`, :func:`dump`, :func:`apply`.
"""

from claimscan.correcting.applying import apply
from claimscan.correcting.form import (
    MOST_BYTES,
    MOST_NUMBER,
    NUMBERS,
    SCHEMA,
    Corrections,
    check,
    dump,
    load,
    loaded,
    read,
)
from claimscan.correcting.making import (
    Choice,
    Choices,
    SlotChoice,
    added,
    choices,
    gathered,
    moved,
    removed,
    retyped,
    revalued,
    without,
    wrong,
)

__all__ = [
    "MOST_BYTES",
    "MOST_NUMBER",
    "NUMBERS",
    "SCHEMA",
    "Choice",
    "Choices",
    "Corrections",
    "SlotChoice",
    "added",
    "apply",
    "check",
    "choices",
    "dump",
    "gathered",
    "load",
    "loaded",
    "moved",
    "read",
    "removed",
    "retyped",
    "revalued",
    "without",
    "wrong",
]
