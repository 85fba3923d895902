"""Imported once by the process that workers are forked from: rules, language model and libraries are loaded there, so
that a worker begins warm and shares their memory with the others.

Only where the system can fork (``local`` says so). A failure here is no failure of the run: each worker then loads what
it needs by itself, and says what is wrong with it.
"""

from __future__ import annotations

import gc
import os

SENTENCE = "This plan was co-produced with nine autistic adults, who met us every month and were paid for their time."


def _load() -> None:
    from claimscan import pipeline
    from claimscan.showing import html

    html.page(pipeline.check_text(SENTENCE))
    gc.collect()
    gc.freeze()  # else the first collection in each worker would copy every page that they share


for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # threads would not survive the fork
try:
    _load()
except Exception:  # a worker meets it again, where it can be reported
    pass
