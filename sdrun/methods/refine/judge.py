"""Labels are judged by beliefs of models that did not see them, and these by the truth where that is known."""

from typing import TYPE_CHECKING

import numpy as np

from sdrun.judges.judge import Judge, Networks, Outcome
from sdrun.judges.metric import LABELS
from sdrun.methods.refine.audit import Audit

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class OfLabels(Judge):
    """``audit``: what is believed; ``truth`` [N]: the classes that items have, where labels are wrong on purpose."""

    declared = LABELS

    def __init__(self, audit: Audit, truth: np.ndarray, seed: int) -> None:
        self.audit, self.truth, self.seed = audit, truth, seed

    def full(self, networks: Networks) -> Outcome:
        audit = self.audit
        metrics, is_wrong = audit.metrics(self.truth, self.seed), self.truth != audit.labels

        def transitions() -> "Figure":
            from sdrun.methods.refine.pictures import transition_matrix

            return transition_matrix(audit)

        def curve() -> "Figure":
            from sdrun.methods.refine.pictures import precision_over_recall

            return precision_over_recall(audit, is_wrong)

        pictures = {"labels/transitions": transitions} | ({"labels/found": curve} if is_wrong.any() else {})
        matrix = {"classes": list(audit.classes), "given_of_true": audit.findings.transitions.tolist()}
        return Outcome(metrics, {}, pictures, {"labels": {**matrix, **metrics}})
