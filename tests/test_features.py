"""InvolvementFeatures stands in scikit-learn's pipelines as its own transformers do."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

import claimscan
from claimscan.study.features import InvolvementFeatures

CLAIM = "This plan was co-produced with carers. Nine carers met us every month from the start. They were paid for their time."
PLAIN = "Bins are emptied on Tuesdays."


def test_counts_are_those_of_the_report():
    features = InvolvementFeatures()
    table = features.set_output(transform="pandas").fit_transform([CLAIM, PLAIN])
    report = claimscan.check_text(CLAIM)
    assert list(table.columns) == list(features.get_feature_names_out()) and table.shape[0] == 2
    assert table.loc[0, "type DOC_DONE"] == 1 and table.loc[0, "payment paid"] == 1
    assert table.loc[0, "words"] == len(CLAIM.split())
    slots = [c for c in table.columns if c.split()[0] not in ("words", "type", "grade")]
    assert table.loc[0, slots].sum() == len([e for e in report.evidence if e.product])
    assert table.loc[1].drop("words").sum() == 0


def test_a_report_and_its_text_are_the_same_and_a_file_name_of_bytes_is_refused():
    made = InvolvementFeatures(words=False).fit_transform([claimscan.check_text(CLAIM), CLAIM])
    assert np.array_equal(made[0], made[1])
    with pytest.raises(TypeError):
        InvolvementFeatures().transform([b"bytes"])
    assert InvolvementFeatures().transform([]).shape == (0, len(InvolvementFeatures().get_feature_names_out()))


def test_it_stands_in_a_pipeline_and_is_cloned():
    model = make_pipeline(InvolvementFeatures(words=False), MaxAbsScaler(), LogisticRegression())
    assert clone(model).get_params()["involvementfeatures__words"] is False
    texts = [CLAIM.replace("Nine", str(n)) for n in range(3, 7)] + [f"{PLAIN} Week {n}." for n in range(4)]
    assert cross_val_score(model, texts, [1] * 4 + [0] * 4, cv=2).mean() == 1
