"""The numbers of a “how many” in a form: taken in, and refused with a sentence where they do not fit what was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from claimscan.correcting import MOST_NUMBER, NUMBERS
from claimscan.errors import UsageError
from claimscan.showing import wording as say
from claimscan.web import taking

WITHOUT = ("vague", "proportion_only")


def typed(form: Mapping[str, Any]) -> dict[str, str]:
    """The fields as they were typed, to be shown again."""
    return {name: taking.field(form, name, 20) for name in (*NUMBERS, "unit")}


def count(form: Mapping[str, Any], slot: str, value: str, now: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields of codebook 2.3 that the form gives, for the slot and the value that were chosen; None for other slots.

    Args:
        now: the numbers that the form came with. Where they were left as they were, they may stand beside a choice that has
            no numbers.

    Raises:
        UsageError: a number is none, or the numbers and the choice do not fit.
    """
    given = _numbers(form)
    fresh = given != {name: now[name] for name in NUMBERS if now.get(name) is not None}
    if slot != "count":
        if given and fresh:
            raise UsageError(
                "You gave a number, but you did not choose “how many”.",
                "Choose one of the lines under “how many”, or empty the numbers.",
            )
        return None
    unit = {"unit": taking.field(form, "unit", 40)}
    if value in WITHOUT:
        if given and fresh:
            raise UsageError(
                "You gave a number, but you chose that there is none.",
                "Choose another line under “how many”, or empty the numbers.",
            )
        return unit
    ends = {name: given.pop(name) for name in ("low", "high") if name in given}
    if value == "range":
        if len(ends) < 2:
            raise UsageError("You chose “from one number to another”.", "Give the lower and the higher number.")
        return given | ends | unit
    if ends and fresh:
        raise UsageError(
            "A lower and a higher number belong to “from one number to another”.", "Choose that, or empty the two."
        )
    if not given and value != "one_of_many":
        raise UsageError("You did not say how many.", "Give a number, or choose “no number given”.")
    return given | unit


def _numbers(form: Mapping[str, Any]) -> dict[str, int]:
    """Those that were given.

    Raises:
        UsageError: one is no number, or a part is more than the whole.
    """
    found = {name: n for name in NUMBERS if (n := _number(taking.field(form, name, 20))) is not None}
    if found.get("le_n", 0) > found.get("total_n", MOST_NUMBER):
        raise UsageError(
            "There cannot be more people with lived experience than people in all.", "Look at the two numbers again."
        )
    if found.get("low", 0) > found.get("high", MOST_NUMBER):
        raise UsageError("The lower number is higher than the higher one.", "Look at the two numbers again.")
    return found


def _number(text: str) -> int | None:
    """A whole number as people write it: ``1,200`` or ``1 200``."""
    digits = text.replace(",", "").replace(" ", "")
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and int(digits) <= MOST_NUMBER):
        raise UsageError(f"“{say.short(text, 20)}” is not a number that can be used here.", "Write it as 12 or 1,200.")
    return int(digits)
