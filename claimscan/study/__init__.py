"""For researchers: a study over the documents of a run, from the sample to an archive that others run again.

The steps in order, each a module named after what it does (``claimscan study STEP`` runs them):

:mod:`~claimscan.study.beginning`       the frame: every document of a run
:mod:`~claimscan.study.drawing`         the sample, by :mod:`~claimscan.study.sampling`; how many, by :mod:`~claimscan.study.planning`
:mod:`~claimscan.study.exchange`        codings out to a tool and back, by :mod:`~claimscan.study.formats`
:mod:`~claimscan.study.adjudicating`    decisions where coders differ
:mod:`~claimscan.study.results`         agreement, estimates and the report
:mod:`~claimscan.study.archiving`       everything in one file, and the check that it comes out the same

What people code are codes on words (:mod:`~claimscan.study.codings`). They find their places by the words
(:mod:`~claimscan.study.placing`), and levels and flags are worked out from them by the same rules as claimscan's own
(:mod:`~claimscan.study.deriving`), as codebook 7.3 asks: derive, do not judge. The statistics
(:mod:`~claimscan.study.agreement`, :mod:`~claimscan.study.estimating`) take plain tables and know nothing of documents.
"""
