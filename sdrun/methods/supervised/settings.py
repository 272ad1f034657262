"""Supervised training: the baseline that everything is compared with.

Paper: none; label smoothing is Szegedy et al. 2016 (1512.00567).
Idea: cross-entropy with the labels.
Asymmetry: none. There is no teacher, so a method that does not beat this (with label smoothing, stopped in time, with
the same views) has shown nothing.
Watch for: an over-trained baseline makes every method look good; compare with ``optim.select=best`` and fewer epochs.
"""

from dataclasses import dataclass

from sdrun.settings import MethodSettings, require_range, require_view


@dataclass
class SupervisedSettings(MethodSettings):
    """``view`` is what the student sees; ``label_smoothing``: share of the target spread evenly over all classes."""

    view: str
    label_smoothing: float

    def __post_init__(self) -> None:
        require_view("method.view", self.view)
        require_range("method.label_smoothing", self.label_smoothing, 0, 1)

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.view,)
