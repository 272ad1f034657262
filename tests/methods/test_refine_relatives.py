"""Early-learning regularisation and co-teaching against their papers."""

import torch

from helpers import settings
from sdrun.answers.categorical import Categorical
from sdrun.methods.refine_coteaching.objective import Coteaching
from sdrun.methods.refine_elr.objective import EarlyLearning
from sdrun.randomness import Draws
from sdrun.streams.batch import Batch


def test_what_was_said_before_is_held_to_as_the_authors_code_does():
    """Early-learning regularisation, two steps over four items, against 2007.00151 written out."""
    torch.manual_seed(0)
    student = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3))
    chosen = settings("method=refine_elr", "method.weight=2", "method.momentum=0.6").method
    ours = EarlyLearning(student, Categorical(3), chosen, 4, 3, lambda rows: rows)
    target, index, label = torch.zeros(4, 3), torch.tensor([2, 0, 3]), torch.tensor([1, 2, 0])
    for step in range(2):
        view = torch.randn(3, 1, 2, 2)
        batch = Batch(step, index, {"weak": [view]}, {"label": label}, Draws((0,), slice(0, 3), 3))
        output = ours(batch)
        ours.after_step(step + 1)
        said = student(view).softmax(dim=1).clamp(1e-4, 1 - 1e-4)
        target[index] = 0.6 * target[index] + 0.4 * (said / said.sum(dim=1, keepdim=True)).detach()
        term = (1 - (target[index] * said).sum(dim=1)).log().mean()
        expected = torch.nn.functional.cross_entropy(student(view), label) + 2 * term
        torch.testing.assert_close(output.loss, expected)
        torch.testing.assert_close(ours.memory, target)


def test_each_learns_from_what_is_easiest_for_its_peer():
    torch.manual_seed(0)
    pair = [torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3)) for _ in range(2)]
    words = ("method.forget=0.5", "method.ramp_up=0.5", "method.label_smoothing=0.1")
    chosen = settings("method=refine_coteaching", *words).method
    ours = Coteaching(pair, Categorical(3), chosen, 10, lambda rows: rows)
    assert [ours.num_kept(8, step) for step in (0, 4, 5, 9)] == [8, 5, 4, 4]
    view, label = torch.randn(8, 1, 2, 2), torch.randint(3, (8,))
    output = ours(Batch(9, torch.arange(8), {"weak": [view]}, {"label": label}, Draws((0,), slice(0, 8), 8)))
    answers = [student(view) for student in pair]
    for name, own, peer in (("ce", 0, 1), ("peer_ce", 1, 0)):
        easiest = torch.nn.functional.cross_entropy(answers[peer], label, reduction="none").argsort()[:4]
        expected = torch.nn.functional.cross_entropy(answers[own][easiest], label[easiest], label_smoothing=0.1)
        torch.testing.assert_close(output.terms[name], expected)
