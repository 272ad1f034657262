"""What is written of a finished stage: weights, predictions, pictures, metrics, and its mark."""

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from sdrun.context import Context
from sdrun.counting import Counter
from sdrun.data.source import Fields
from sdrun.errors import RunError
from sdrun.judges.drawing import drawn, show
from sdrun.judges.judge import Judge, Networks, Outcome
from sdrun.judges.metric import to_json
from sdrun.judges.recomputed import agree
from sdrun.loop import State
from sdrun.objectives.objective import Objective
from sdrun.settings import Select
from sdrun.storage.checkpoints import load_state, save
from sdrun.storage.files import json_bytes
from sdrun.storage.folder import DONE, RunFolder
from sdrun.storage.record import Record
from sdrun.storage.stage import StageResult
from sdrun.streams.batch import Stream

ITEMS = "items"


@contextmanager
def busy(context: Context, name: str, what: str) -> Iterator[None]:
    """What a stage does where it does not train is named, and ends at once after a signal."""
    with context.display.doing(name, what), context.interrupt.at_once():
        yield


def recorded_digest(result: StageResult, kind: str) -> str:
    """The SHA-256 of a stage's weights ``last`` or ``best``, or ``items``. Raises RunError where none is noted."""
    if kind not in result.sha256:
        mark = f"stages/{result.name}/{DONE}"
        raise RunError(f"{mark} does not tell what {kind}.pt came to; restore it from a copy")
    return result.sha256[kind]


def make_items(context: Context, name: str, produce: Callable[[], Fields]) -> StageResult:
    """Keep what a stage produces, and mark it as finished."""
    started, counter = time.perf_counter(), Counter()
    with busy(context, name, "making items"), counter():
        items = {field: values.detach().cpu() for field, values in produce().items()}
    seconds = round(time.perf_counter() - started, 3)
    digest = save(context.folder.weights(name, ITEMS), items)
    sha256, cost = {ITEMS: digest}, counter.total
    result = StageResult(name=name, steps=0, seconds=seconds, metrics={}, multiply_adds=cost, sha256=sha256)
    context.folder.finish(result, {})
    context.display.say(f"{name}: {len(next(iter(items.values()))):,} items made")
    return result


def load_items(folder: RunFolder, made: StageResult, device: torch.device) -> Fields:
    """What ``make_items`` kept. Raises RunError where it is gone or damaged."""
    fields: Fields = load_state(folder.weights(made.name, ITEMS), device, recorded_digest(made, ITEMS))
    return fields


@dataclass(frozen=True)
class Results:
    """Evaluates a stage and writes what comes out; the record must have begun the stage. On the first rank only.

    ``other``: see ``StageResult``.
    """

    context: Context
    judge: Judge
    other: str = ""

    @property
    def record(self) -> Record:
        assert self.context.record
        return self.context.record

    def of_training(self, name: str, objective: Objective, stream: Stream, state: State) -> StageResult:
        """Keep the last and the best weights, evaluate both, and mark the stage as finished.

        Each is logged at its own step; the validation metrics that the loop logged there already are not logged again.
        """
        weights = {"last": {key: value.clone() for key, value in objective.state_dict().items()}}
        steps = {"last": state.step}
        if state.best:
            weights["best"], steps["best"] = state.best.weights, state.best.step
        chosen = self.context.settings.optim.select.value
        metrics: dict[str, float] = {}
        contents: dict[str, bytes] = {}
        hashes = {}
        outcome: Outcome | None = None
        for kind in sorted(weights, key=lambda kind: steps[kind]):
            hashes[kind] = save(self.context.folder.weights(name, kind), weights[kind])
            if outcome is None or not _are_equal(*weights.values()):
                objective.load_state_dict(weights[kind])
                outcome = self._judged(name, objective.networks, f"the {kind} weights on ")
            judged = outcome.metrics
            if kind == chosen:
                contents = self._contents(name, outcome)
                self._draw(name, outcome, steps[kind], stream)
                new = {key: value for key, value in judged.items() if key not in state.validated}
            else:
                judged = new = {key.replace("/", f"/{kind}/", 1): value for key, value in judged.items()}
            self.record.log(steps[kind], new)
            metrics |= judged
        result = StageResult(
            name=name,
            steps=state.step,
            samples=state.step * stream.batch_size,
            multiply_adds=state.step * state.multiply_adds * self.context.hardware.world,
            seconds=round(state.seconds, 3),
            samples_per_second=round(state.step * stream.batch_size / max(state.seconds, 1e-9), 1),
            best_step=steps.get("best"),
            sha256=hashes,
            networks=_places(objective),
            declared=to_json(self.judge.declared),
            metrics=metrics,
            other=self.other,
        )
        return self._finish(result, contents)

    def of_evaluation(self, name: str, networks: Networks) -> StageResult:
        """Evaluate networks that no training made here, and mark the stage as finished."""
        outcome = self._judged(name, networks)
        self._draw(name, outcome, 0, None)
        self.record.log(0, outcome.metrics)
        declared = to_json(self.judge.declared)
        result = StageResult(
            name=name, steps=0, seconds=0.0, metrics=outcome.metrics, declared=declared, other=self.other
        )
        return self._finish(result, self._contents(name, outcome))

    def again(self, result: StageResult, networks: Networks, stream: Stream | None) -> None:
        """Write the files of a finished stage anew. Raises RunError where its metrics do not come out again."""
        self.record.begin(result.name, stream.steps_per_epoch if stream else 1, None)
        outcome = self._judged(result.name, networks)
        self._require_same(result, outcome.metrics)
        is_best = self.context.settings.optim.select is Select.best
        self._draw(result.name, outcome, (result.best_step if is_best else None) or result.steps, stream)
        declared = to_json(self.judge.declared)  # which a summary does not tell of each stage
        self._finish(replace(result, declared=declared), self._contents(result.name, outcome))

    def _require_same(self, result: StageResult, metrics: Mapping[str, float]) -> None:
        for key in (f"test/{metric.name}" for metric in self.judge.declared if metric.shown):
            if key in metrics and not agree(metrics[key], result.metrics[key]):
                raise RunError(
                    f"{result.name}: {key} was {result.metrics[key]:.4f} and is {metrics[key]:.4f} now; its "
                    "files are left as they are, for other packages or another machine would make others"
                )

    def _contents(self, name: str, outcome: Outcome) -> dict[str, bytes]:
        """Predictions and documents, by their place in the run's folder; no labels where nothing was predicted."""
        data = self.context.data
        parts = data.held_out if outcome.predictions else []
        labels = {f"{part}_labels": data.right[part] for part in parts}
        crowd = {f"{part}_crowd": data.crowd[part] for part in parts if part in data.crowd}
        buffer = io.BytesIO()
        np.savez(buffer, **outcome.predictions, **labels, **crowd)  # type: ignore[arg-type]
        documents = {
            f"stages/{name}/{title}.json": json_bytes(document) for title, document in outcome.documents.items()
        }
        return {f"predictions/{name}.npz": buffer.getvalue(), **documents}

    def _judged(self, name: str, networks: Networks, which: str = "on ") -> Outcome:
        with busy(self.context, name, f"judging {which}the test set"):
            return self.judge.full(networks)

    def _draw(self, name: str, outcome: Outcome, step: int, stream: Stream | None) -> None:
        if not self.context.settings.pictures:
            return
        with busy(self.context, name, "drawing"):
            for title, draw in outcome.pictures.items():
                show(title, draw, partial(self.record.picture, step=step))
            if stream:
                self._show_views(stream)

    def _show_views(self, stream: Stream) -> None:
        from sdrun.judges.pictures import view_grid

        examples = drawn("views", lambda: stream.examples(6, 5)) or {}
        for role, columns in examples.items():
            shown = {title: self.context.task.shown(seen) for title, seen in columns.items()}
            cells = {title: of_view for title, of_view in shown.items() if of_view}
            if cells:
                show(f"views/{role}", partial(view_grid, cells), partial(self.record.picture, step=0))

    def _finish(self, result: StageResult, contents: dict[str, bytes]) -> StageResult:
        self.record.end()
        self.context.folder.finish(result, contents)
        self.context.display.end(result)
        return result


def _are_equal(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    return all(torch.equal(values, other[name]) for name, values in one.items())


def _places(objective: Objective) -> dict[str, str]:
    """Where each network that is evaluated lies in the objective's weights, by its word."""
    names = {module: name for name, module in objective.named_modules()}
    return {word: names[network] for word, network in objective.networks.items() if network in names}
