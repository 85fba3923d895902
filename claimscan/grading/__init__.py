"""From the evidence about one product to its grade (codebook section 3) and its flags (section 4).

:func:`whose` says whose evidence each piece is (E1, E25); :func:`facts` turns evidence into the inputs of the depth
function; :func:`judge` applies the status rules and the levels table; :func:`grade` puts the finding together.
Everything is pure. Levels, caps, flags and words are tables (:mod:`claimscan.codebook`).
"""

from claimscan.grading.filling import slots
from claimscan.grading.finding import grade
from claimscan.grading.flagging import flags
from claimscan.grading.gathering import GRADABLE, facts, whose
from claimscan.grading.raising import ceiling, steps
from claimscan.grading.rules import Facts, Verdict, depth, judge, replay, tests

__all__ = [
    "GRADABLE",
    "Facts",
    "Verdict",
    "ceiling",
    "depth",
    "facts",
    "flags",
    "grade",
    "judge",
    "replay",
    "slots",
    "steps",
    "tests",
    "whose",
]
