"""Early exit: a policy found on the validation split, and what it gives and saves on the test set."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from sdrun.evaluation.costs import ExitCosts, exit_costs, milliseconds
from sdrun.evaluation.evaluator import Data, Evaluation, Networks, Outcome, prefixed
from sdrun.evaluation.exit_policy import Leaving, Point, levels, point, within_budget, within_tolerance
from sdrun.evaluation.metrics import fit_temperature, scores
from sdrun.models.early_exit import ALWAYS, EarlyExit, ExitPolicy
from sdrun.models.ladder import Ladder
from sdrun.settings import ExitPolicySettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

BATCHES = (1, 64)
MOST_TIMED = 256


class EarlyExitEvaluation(Evaluation):
    """Of a ladder: what its exits cost, a policy, and that policy on ``val`` and ``test``.

    Temperatures and thresholds come from ``val``, or from the settings. Metrics and predictions are those of the exits
    that samples leave at; ``multiply_adds`` is the mean of a sample, and its share that of the network without shallow
    exits; milliseconds are of the first test images. Documents: ``policy``, and the ``curve`` of accuracy over compute,
    along which all shallow exits share one level of confidence.
    """

    def __init__(self, data: Data, settings: ExitPolicySettings) -> None:
        self.data, self.settings = data, settings

    def full(self, networks: Networks) -> Outcome:
        (ladder,) = networks.values()
        assert isinstance(ladder, Ladder)
        data = self.data
        costs = exit_costs(ladder, data.clean(data.images["test"][:1]))
        words = [*(f"exit_{i + 1}" for i in range(len(ladder.shallow))), ""]
        logits = {}
        for part in data.parts:
            by_word = data.outputs_by_word(ladder, part)
            logits[part] = np.stack([by_word[word].cpu().numpy() for word in words], axis=1)
        temperatures = self.settings.temperatures or [
            fit_temperature(logits["val"][:, i], data.labels["val"]) for i in range(len(words))
        ]
        samples = {
            part: Leaving.of(z, data.labels[part], temperatures, self.settings.confidence) for part, z in logits.items()
        }
        tried = levels(samples["val" if "val" in samples else "test"], self.settings.confidence)
        curves = {part: [point(s, level, costs.multiply_adds) for level in tried] for part, s in samples.items()}
        policy = ExitPolicy(self.settings.confidence, self._thresholds(curves, costs), temperatures)

        metrics = _costs_as_metrics(costs)
        predictions: dict[str, np.ndarray] = {}
        chosen = {}
        for part, sample in samples.items():
            exits = sample.exits(policy.thresholds)
            taken = sample.taken(exits)
            shares = np.bincount(exits, minlength=len(words)) / len(exits)
            mean = float(shares @ costs.multiply_adds)
            chosen[part] = (mean / costs.full, sample.accuracy(exits))
            numbers = {"multiply_adds": mean, "multiply_adds_share": mean / costs.full}
            numbers |= {f"exit_{i}/share": float(share) for i, share in enumerate(shares, start=1)}
            metrics |= prefixed(part, "", {**scores(taken, data.labels[part]), **numbers})
            predictions |= {f"{part}_logits": taken, f"{part}_exit": exits}
        metrics |= self._times(ladder, policy)
        documents = {"policy": policy.plain(), "curve": self._curve(curves, costs)}
        return Outcome(metrics, predictions, lambda: self._drawn(curves, samples, costs, chosen["test"]), documents)

    def _thresholds(self, curves: dict[str, list[Point]], costs: ExitCosts) -> list[float]:
        settings, num = self.settings, len(costs.multiply_adds) - 1
        if settings.thresholds is not None:
            return settings.thresholds
        if settings.budget is not None:
            found = within_budget(curves["val"], settings.budget * costs.full)
            if found is None:
                share = costs.multiply_adds[0] / costs.full
                log.warning(
                    "no policy meets method.exit_policy.budget=%g: the first exit costs %.2f", settings.budget, share
                )
            return [found.level if found else ALWAYS[settings.confidence]] * num
        return [within_tolerance(curves["val"], settings.tolerance or 0.0).level] * num

    def _times(self, ladder: Ladder, policy: ExitPolicy) -> dict[str, float]:
        data = self.data
        ladder.eval()
        images = data.clean(data.images["test"][:MOST_TIMED])
        networks: dict[str, Callable[[Tensor], Any]] = {"early": EarlyExit(ladder, policy), "full": ladder.deepest}
        found = {}
        with data.autocast():
            for batch in BATCHES:
                times = milliseconds(networks, images, batch)
                found[f"test/milliseconds_batch_{batch}"] = times["early"]
                found[f"test/full_milliseconds_batch_{batch}"] = times["full"]
        return found

    def _curve(self, curves: dict[str, list[Point]], costs: ExitCosts) -> dict[str, Any]:
        return {
            "multiply_adds": {"full": costs.full, "exits": costs.multiply_adds},
            "points": {part: [asdict(p) for p in curve] for part, curve in curves.items()},
        }

    def _drawn(
        self,
        curves: dict[str, list[Point]],
        samples: dict[str, Leaving],
        costs: ExitCosts,
        chosen: tuple[float, float],
    ) -> dict[str, "Figure"]:
        from sdrun.evaluation import pictures

        test, num = samples["test"], len(costs.multiply_adds)
        alone = [test.accuracy(np.full(len(test.labels), i)) for i in range(num)]
        lines = {
            part: np.array([[p.multiply_adds / costs.full, p.accuracy, *p.shares] for p in curve])
            for part, curve in curves.items()
        }
        shares = [cost / costs.full for cost in costs.multiply_adds]
        return {"test/accuracy_over_compute": pictures.accuracy_over_compute(lines, shares, alone, chosen)}


def _costs_as_metrics(costs: ExitCosts) -> dict[str, float]:
    metrics = {"model/multiply_adds": float(costs.full), "model/parameters": float(costs.parameters[-1])}
    for i, (cost, size) in enumerate(zip(costs.multiply_adds, costs.parameters, strict=True), start=1):
        metrics |= {f"model/exit_{i}/multiply_adds": float(cost), f"model/exit_{i}/parameters": float(size)}
    return metrics
