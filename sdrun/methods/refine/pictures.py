"""Labels, drawn: what is believed of those of each class, and how many wrong ones are found."""

import numpy as np
from matplotlib.figure import Figure

from sdrun.judges.pictures import axes_within, share_matrix
from sdrun.methods.refine.audit import Audit, precision_recall


def transition_matrix(audit: Audit) -> Figure:
    title = f"about {100 * audit.findings.noise_rate:.1f} % wrong; per cent of each class"
    return share_matrix(audit.findings.transitions, audit.classes, title, xlabel="labelled", ylabel="believed")


def precision_over_recall(audit: Audit, is_wrong: np.ndarray) -> Figure:
    """Of the first items by suspicion, however many they are; a dot where those end that are suspect."""
    precision, recall = precision_recall(is_wrong, audit.findings.ranks)
    num = int(audit.findings.is_suspect.sum())
    figure, axis = axes_within(5.2, 3.6)
    axis.plot(100 * recall, 100 * precision)
    if num:
        of_suspects = is_wrong[audit.findings.is_suspect]
        axis.plot(100 * of_suspects.sum() / is_wrong.sum(), 100 * of_suspects.mean(), "o", color="black")
        axis.set_title(f"{num:,} are suspect", fontsize=9)
    axis.set(xlabel="wrong labels that are found, %", ylabel="of those found, wrong, %", xlim=(0, 101), ylim=(0, 101))
    return figure
