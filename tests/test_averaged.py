"""A running average of the weights counts in their place."""

import torch

from sdrun.answers.categorical import Categorical
from sdrun.averaged import averaged
from sdrun.objectives.taught import Taught


def test_an_average_of_the_weights_is_what_counts():
    torch.manual_seed(0)
    student = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3))
    plain = Taught(student, Categorical(3))
    assert averaged(plain, 0.0, 10) is plain
    counted = averaged(plain, 0.9, 1000)
    before = counted.networks[""][1].weight.clone()
    with torch.no_grad():
        student[1].weight.add_(1)
    counted.after_step(1)
    torch.testing.assert_close(counted.networks[""][1].weight, before + 0.5)  # the mean of two
    assert counted.networks["student"] is student


def test_what_an_objective_does_around_a_step_is_done_below_an_average_too():
    class Noted(Taught):
        def before_step(self, step):
            calls.append(("before", step))

        def after_step(self, step):
            calls.append(("after", step))

        def watch(self, step, values):
            calls.append(("watch", step, values))

    calls = []
    counted = averaged(Noted(torch.nn.Linear(4, 3), Categorical(3)), 0.9, 10)
    counted.before_step(1)
    counted.after_step(1)
    counted.watch(1, {"loss": 2.0})
    assert calls == [("before", 1), ("after", 1), ("watch", 1, {"loss": 2.0})]
