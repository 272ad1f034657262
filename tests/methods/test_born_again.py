"""Born-again networks: how far the teacher's weight may go, and what is made of its answers."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers import settings
from sdrun.answers.categorical import Categorical
from sdrun.errors import InputError
from sdrun.methods.born_again.distances import distance
from sdrun.objectives.taught import Taught
from sdrun.randomness import Draws
from sdrun.streams.batch import Batch

CLASSES = 4


class Teacher:
    """One that says what it is told to."""

    lineage = ()

    def __init__(self, logits):
        self.logits = logits

    def __call__(self, batch):
        return self.logits


def objective(teacher, *overrides):
    """Objective and settings of a linear student, as the recipe would have them."""
    torch.manual_seed(0)
    student, answers = nn.Sequential(nn.Flatten(), nn.Linear(4, CLASSES)), Categorical(CLASSES)
    s = settings("method=born_again", *overrides).method
    return Taught(student, answers, Teacher(teacher), alpha=s.alpha, distance=distance(s, answers))


def batch():
    views = {"weak": [torch.randn(5, 1, 2, 2, generator=torch.Generator().manual_seed(1))]}
    return Batch(0, torch.arange(5), views, {"label": torch.tensor([0, 1, 2, 3, 0])}, Draws((0,), slice(0, 5), 5))


def teachers_logits():
    return 2 * torch.randn(5, CLASSES, generator=torch.Generator().manual_seed(2))


def require_gradient_of_targets(o, targets):
    """The gradient is that of cross-entropy with these soft labels [B, K]."""
    b = batch()
    own = torch.autograd.grad(o(b).loss, o.student[1].weight)[0]
    expected = torch.autograd.grad(F.cross_entropy(o.student(b.views["weak"][0]), targets), o.student[1].weight)[0]
    torch.testing.assert_close(own, expected)


@pytest.mark.parametrize("alpha", [-0.5, 0.3, 1.0, 1.7])
def test_alpha_mixes_label_and_teacher_also_outside_of_0_to_1(alpha):
    teacher = teachers_logits()
    label = F.one_hot(batch().known["label"], CLASSES).float()
    mixed = (1 - alpha) * label + alpha * teacher.softmax(1)
    require_gradient_of_targets(objective(teacher, f"method.alpha={alpha}"), mixed)


def test_targets_are_the_teachers_one_or_two_most_likely_labels():
    teacher = teachers_logits()
    order = teacher.argsort(dim=1, descending=True)
    first, second = (F.one_hot(order[:, place], CLASSES).float() for place in (0, 1))
    for kind, targets in (("hard", first), ("top2", (first + second) / 2)):
        require_gradient_of_targets(objective(teacher, "method.alpha=1", f"method.targets={kind}"), targets)


def test_targets_of_other_than_soft_kind_bound_the_temperature():
    with pytest.raises(InputError, match="^method.temperature: must be between 0 and 100, but is 101$"):
        settings("method=born_again", "method.targets=hard", "method.temperature=101")


@pytest.mark.parametrize("kind", ["hard", "top2"])
@pytest.mark.parametrize("loss", ["cwtm", "dkpp"])
def test_the_probes_are_of_soft_targets(kind, loss):
    with pytest.raises(InputError, match=f"^method.targets: {kind} needs method.objective=kd, .* set it to soft$"):
        settings(f"method.targets={kind}", f"method.objective={loss}")
