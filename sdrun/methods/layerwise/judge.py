"""Early exit: a policy found on the validation split, and what it gives and saves on the test set."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from sdrun.judges.costs import TIMED, milliseconds
from sdrun.judges.judge import Judge, Networks, Outcome, prefixed
from sdrun.judges.metric import CLASSIFICATION, EARLY_EXIT
from sdrun.judges.metrics import fit_temperature, scores, temperature_doubt
from sdrun.judges.parts import Parts
from sdrun.methods.layerwise.costs import ExitCosts, exit_costs
from sdrun.methods.layerwise.early_exit import EarlyExit, ExitPolicy
from sdrun.methods.layerwise.exits import ALWAYS, ExitPolicySettings
from sdrun.methods.layerwise.ladder import Ladder
from sdrun.methods.layerwise.policy import Leaving, Point, curve, levels, point, within_budget, within_tolerance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)


class EarlyExits(Judge):
    """Of a ladder: what its exits cost, a policy, and that policy on ``val`` and ``test``.

    Temperatures and thresholds come from ``val``, or from the settings. Metrics and predictions are those of the exits
    that samples leave at; ``multiply_adds`` is the mean of a sample, and its share that of the network without shallow
    exits; milliseconds are of the first test items. Documents: ``policy``, and the ``curve`` of accuracy over compute,
    along which all shallow exits share one level of confidence.
    """

    declared = (*CLASSIFICATION, *EARLY_EXIT)

    def __init__(self, data: Parts, settings: ExitPolicySettings) -> None:
        self.data, self.settings = data, settings

    def full(self, networks: Networks) -> Outcome:
        (ladder,) = networks.values()
        assert isinstance(ladder, Ladder)
        ladder.eval()
        data, kind = self.data, self.settings.confidence
        costs = exit_costs(ladder, data.first("test", 1))
        logits = self._logits(ladder)
        temperatures = self.settings.temperatures or self._fitted(logits["val"])
        samples = {part: Leaving.of(z, data.labels[part], temperatures, kind) for part, z in logits.items()}
        tried = levels(samples.get("val", samples["test"]), kind)
        curves = {part: curve(leaving, tried, costs.multiply_adds) for part, leaving in samples.items()}
        policy = ExitPolicy(kind, self._thresholds(curves, costs), temperatures)

        metrics = _costs_as_metrics(costs) | self._times(ladder, policy)
        predictions: dict[str, np.ndarray] = {}
        for part, leaving in samples.items():
            exits = leaving.exits(policy.thresholds)
            taken = leaving.taken(exits)
            reached = point(leaving, policy.thresholds, costs.multiply_adds)
            metrics |= prefixed(part, "", {**scores(taken, data.labels[part]), **_compute_as_metrics(reached, costs)})
            predictions |= {f"{part}_logits": taken, f"{part}_exit": exits}
        documents = {
            "policy": policy.plain(),
            "curve": {
                "multiply_adds": {"full": costs.full, "exits": costs.multiply_adds},
                "points": {part: [asdict(p) for p in points] for part, points in curves.items()},
            },
        }
        reached = point(samples["test"], policy.thresholds, costs.multiply_adds)
        pictures = {"test/accuracy_over_compute": lambda: _drawn(curves, samples["test"], costs, reached)}
        return Outcome(metrics, predictions, pictures, documents)

    def _logits(self, ladder: Ladder) -> dict[str, np.ndarray]:
        """Of all exits, shallow to deep, by part: [N, exits, K]."""
        words = [*(f"exit_{i}" for i in range(1, len(ladder.rungs) + 1)), ""]
        logits = {}
        for part in self.data.held_out:
            by_word = self.data.outputs_by_word(ladder, part)
            logits[part] = np.stack([by_word[word].cpu().numpy() for word in words], axis=1)
        return logits

    def _fitted(self, logits: np.ndarray) -> list[float]:
        """A temperature for each exit, from logits of ``val`` [N, exits, K]."""
        labels, num_classes = self.data.labels["val"], logits.shape[2]
        temperatures = [fit_temperature(logits[:, i], labels) for i in range(logits.shape[1])]
        for number, temperature in enumerate(temperatures, start=1):
            if doubt := temperature_doubt(temperature, len(labels), num_classes):
                log.warning("the temperature of exit %d %s; the policy is not to be trusted", number, doubt)
                break
        return temperatures

    def _thresholds(self, curves: dict[str, list[Point]], costs: ExitCosts) -> list[float]:
        settings = self.settings
        if settings.thresholds is not None:
            return settings.thresholds
        if settings.budget is None:
            return within_tolerance(curves["val"], settings.tolerance or 0.0).thresholds
        if best := within_budget(curves["val"], settings.budget * costs.full):
            return best.thresholds
        least = costs.multiply_adds[0] / costs.full
        log.warning("no policy meets method.exit_policy.budget=%g: the first exit costs %.2f", settings.budget, least)
        return [ALWAYS[settings.confidence]] * (len(costs.multiply_adds) - 1)

    def _times(self, ladder: Ladder, policy: ExitPolicy) -> dict[str, float]:
        data = self.data
        items = data.first("test", max(TIMED.values()))
        networks: dict[str, Callable[[Tensor], Any]] = {"early": EarlyExit(ladder, policy), "full": ladder.deepest}
        metrics = {}
        with data.autocast():
            for batch, num in TIMED.items():
                times = milliseconds(networks, items[:num], batch)
                metrics[f"test/milliseconds_batch_{batch}"] = times["early"]
                metrics[f"test/full_milliseconds_batch_{batch}"] = times["full"]
        return metrics


def _drawn(curves: dict[str, list[Point]], test: Leaving, costs: ExitCosts, reached: Point) -> "Figure":
    from sdrun.methods.layerwise.pictures import accuracy_over_compute

    lines = {
        part: np.array([[p.multiply_adds / costs.full, p.accuracy, *p.shares] for p in points])
        for part, points in curves.items()
        if part in ("val", "test")
    }
    shares = [cost / costs.full for cost in costs.multiply_adds]
    alone = [test.accuracy(np.full(len(test.labels), i)) for i in range(len(shares))]
    chosen = (reached.multiply_adds / costs.full, reached.accuracy)
    return accuracy_over_compute(lines, shares, alone, chosen)


def _compute_as_metrics(reached: Point, costs: ExitCosts) -> dict[str, float]:
    shares = {f"exit_{i}/share": share for i, share in enumerate(reached.shares, start=1)}
    return {"multiply_adds": reached.multiply_adds, "multiply_adds_share": reached.multiply_adds / costs.full, **shares}


def _costs_as_metrics(costs: ExitCosts) -> dict[str, float]:
    metrics = {"model/multiply_adds": float(costs.full), "model/parameters": float(costs.parameters[-1])}
    for i, (cost, size) in enumerate(zip(costs.multiply_adds, costs.parameters, strict=True), start=1):
        metrics |= {f"model/exit_{i}/multiply_adds": float(cost), f"model/exit_{i}/parameters": float(size)}
    return metrics
