"""For researchers: a study over the documents of a run.

Drawn documents are coded by people with the codebook's codes, in whatever tool they use (:mod:`~claimscan.study.formats`);
the codings come back to their places (:mod:`~claimscan.study.placing`) and are graded by the same rules
(:mod:`~claimscan.study.deriving`), as codebook 7.3 asks: derive, do not judge.
"""
