"""Two runs on the same test items, by the predictions that they saved."""

import numpy as np

from sdrun.comparison.runs import Predictions, Run
from sdrun.comparison.statistics import Items, by_item
from sdrun.judges.metrics import is_right
from sdrun.storage.documents import Unreadable


def items(own: Run, base: Run) -> Items:
    """Raises Unreadable where their predictions cannot be read, or are of other items."""
    (logits, labels), (other_logits, other_labels) = _predictions(own), _predictions(base)
    if not np.array_equal(labels, other_labels):
        raise Unreadable(f"the predictions of {own.path} and {base.path} have other labels")
    return by_item(is_right(logits.argmax(axis=1), labels), is_right(other_logits.argmax(axis=1), labels))


def _predictions(run: Run) -> Predictions:
    try:
        return run.predictions()
    except Unreadable as error:
        raise Unreadable(f"{run.path}: {error}") from error
