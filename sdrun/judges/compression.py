"""Classifiers of different sizes: what each gives, and what it costs."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from torch import nn

from sdrun.judges.classification import Classification
from sdrun.judges.costs import OF_SIZE, OF_TIME, costs
from sdrun.judges.judge import Evaluable, Networks, Outcome
from sdrun.judges.metric import COSTS
from sdrun.judges.parts import Parts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MULTIPLY_ADDS, ACCURACY = "model/multiply_adds", "test/accuracy"


class Compression(Classification):
    """Classification, what the network costs, and how often it says what its ``teacher`` does.

    ``name``: of the stage; ``earlier``: metrics of stages beside which it is drawn; ``like``: that of these whose
    network is the same but for its weights, and costs as much; ``stored``: the bytes that a network needs, where these
    are others than it has, and then it is not timed.
    """

    def __init__(
        self,
        data: Parts,
        name: str,
        teacher: Evaluable | None,
        earlier: Mapping[str, Mapping[str, float]],
        like: str | None = None,
        stored: Callable[[nn.Module], float] | None = None,
    ) -> None:
        super().__init__(data)
        self.declared = (*self.declared, *COSTS)
        self.name, self.teacher, self.earlier, self.like, self.stored = name, teacher, earlier, like, stored

    def full(self, networks: Networks) -> Outcome:
        outcome = super().full(networks)
        network = next(iter(networks.values()))
        metrics = outcome.metrics | self._costs(network)
        if self.teacher:
            theirs = self.data.outputs(self.teacher, "test").argmax(dim=1).cpu().numpy()
            agrees = outcome.predictions["test_logits"].argmax(axis=1) == theirs
            metrics["test/teacher_agreement"] = float(agrees.mean())
        points = {
            name: (of_stage[MULTIPLY_ADDS], of_stage[ACCURACY])
            for name, of_stage in {**self.earlier, self.name: metrics}.items()
        }

        def over_compute() -> "Figure":
            from sdrun.judges.pictures import accuracy_over_compute

            return accuracy_over_compute(points)

        pictures = outcome.pictures | ({"test/accuracy_over_compute": over_compute} if self.earlier else {})
        return Outcome(metrics, outcome.predictions, pictures, outcome.documents)

    def _costs(self, network: Evaluable) -> dict[str, float]:
        like = self.earlier.get(self.like or "")
        if like is None:
            return costs(network, self.data, self.stored)
        return {key: like[key] for key in (*OF_SIZE, *OF_TIME.values())}
