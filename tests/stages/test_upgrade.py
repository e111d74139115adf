"""After an update of the code: DVC takes the model for up to date only where training begins as it did."""

import json

import pytest

from bisenet.errors import InputError
from stages.upgrading import beginning, changes

ROWS = [["1", "main", "2.5"], ["1", "aux2", "2.0"], ["2", "main", "1.25"]]


def test_curves_are_compared_as_far_as_the_new_one_goes():
    assert beginning.difference(ROWS, ROWS[:2])[0] == 0
    assert beginning.difference(ROWS, [["1", "main", "2.5"], ["1", "aux2", "2.02"]]) == (
        pytest.approx(0.01),
        "iteration 1, aux2: 2.0 before, 2.02 now",
    )
    assert beginning.difference(ROWS, [])[0] == float("inf")
    assert beginning.difference(ROWS, [["10", "main", "2.5"]])[0] == float("inf")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"changed deps": {"bisenet/training": "modified", "stages/train.py": "modified"}}, True),
        ({"changed deps": {"params.yaml": {"brightness": "new"}, "bisenet/models": "new"}}, True),
        ({"changed deps": {"params.yaml": {"lr": "modified"}, "bisenet/models": "modified"}}, False),
        ({"changed deps": {"data/plants": "modified"}}, False),
        ({"changed outs": {"results/train/model.pt": "modified"}}, False),
        ("changed command", False),
    ],
)
def test_anything_but_code_that_has_changed_is_another_training(monkeypatch, change, found):
    monkeypatch.setattr(changes, "dvc", lambda *command: json.dumps({"train": [change]}))
    if found:
        assert changes.changed_code()
    else:
        with pytest.raises(InputError, match="not the code alone has changed"):
            changes.changed_code()
