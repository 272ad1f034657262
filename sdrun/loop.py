"""The training loop. It serves every method and knows none: an objective gives the loss, a stream gives the batch."""

import math
import signal
import time
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from sdrun import optimizers
from sdrun.counting import Counter
from sdrun.errors import Interrupted, RunError
from sdrun.hardware import Hardware
from sdrun.interrupt import Interrupt
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.objectives.surrogates import controlled
from sdrun.schedules import half_cosine, lr_factor
from sdrun.settings import Settings
from sdrun.streams.batch import Batch, Stream


class Recorder(Protocol):
    """Where the loop's numbers and state go."""

    def log(self, step: int, values: dict[str, float]) -> None: ...

    def save(self, step: int, state: dict[str, Any]) -> None: ...


class Judge(Protocol):
    """Looks at the validation split while a stage trains; the larger score is the better."""

    def validate(self, networks: dict[str, nn.Module]) -> dict[str, float]: ...

    def score(self, metrics: dict[str, float]) -> list[float]: ...


@dataclass
class Best:
    """The best validation score so far, and the objective's state that reached it."""

    score: list[float]
    step: int
    weights: dict[str, Tensor]


@dataclass
class State:
    """Where a training stands, beside weights and optimiser. Everything that a resumed one needs is here.

    ``stale`` counts looks at the validation split since the best; ``validated`` names what the last of them gave;
    ``multiply_adds``: of one step of this rank, as the first one took, views apart.
    """

    step: int = 0
    seconds: float = 0.0
    best: Best | None = None
    stale: int = 0
    multiply_adds: int = 0
    validated: list[str] = field(default_factory=list)
    sums: dict[str, Tensor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, values: dict[str, Tensor]) -> None:
        """Count one step's values towards the means of the next logged point."""
        for name, value in values.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value
            self.counts[name] = self.counts.get(name, 0) + 1


def train(
    objective: Objective,
    stream: Stream,
    *,
    settings: Settings,
    hardware: Hardware,
    saved: dict[str, Any] | None,
    judge: Judge | None,
    recorder: Recorder,
    interrupt: Interrupt,
) -> State:
    """Train ``objective`` on the batches of ``stream``, from ``saved`` on where there is such a state.

    ``judge`` looks at the objective's networks, which chooses the best weights. Raises Interrupted after a signal,
    with the state saved, and RunError when the loss is no longer finite or the objective sees no sense in going on.
    """
    optim = settings.optim
    total = num_steps(settings, stream)
    optimizer = optimizers.build(optim, objective, hardware.device)
    model = hardware.wrap(objective)
    state = _restore(saved, objective, optimizer)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    evaluate_steps = optim.evaluate_every * stream.steps_per_epoch
    last_save = time.monotonic()
    started = time.perf_counter() - state.seconds
    objective.train()

    while state.step < total and not _is_stale(state, optim.early_stop):
        lr = optim.lr * lr_factor(optim.schedule, optim.warmup, state.step, total)
        for group in optimizer.param_groups:
            group["lr"] = lr
            if optim.weight_decay_end is not None and group["decays"]:
                group["weight_decay"] = half_cosine(optim.weight_decay, optim.weight_decay_end, state.step / total)
        logs = (state.step + 1) % settings.log_every == 0 or state.step + 1 == total

        batch = stream(state.step)
        counter = Counter(is_on=state.step == 0)
        pieces = batch.split(optim.accumulate)
        if objective.surrogate:
            with counter(), hardware.autocast():
                pieces = controlled(objective, pieces, hardware.gather)
        state.add(_backward(model, pieces, logs, hardware, counter))
        state.multiply_adds += counter.total
        state.step += 1
        objective.before_step(state.step)
        optimizers.clip(parameters, optim)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        objective.after_step(state.step)

        if logs:
            values = _read(state, hardware)
            state.seconds = time.perf_counter() - started
            values["train/lr"] = lr
            values["train/samples_per_second"] = state.step * stream.batch_size / state.seconds
            recorder.log(state.step, values)
            _require_finite(values["train/loss"], state.step)
            objective.watch(state.step, values)
        if judge and (state.step % evaluate_steps == 0 or state.step == total):
            paused = time.perf_counter()
            scores = hardware.from_main(lambda: judge.validate(objective.networks))
            recorder.log(state.step, scores)
            state.validated = list(scores)
            _judge(state, judge.score(scores), objective)
            objective.watch(state.step, scores)
            objective.train()
            started += time.perf_counter() - paused

        state.seconds = time.perf_counter() - started
        finished = state.step == total or _is_stale(state, optim.early_stop)
        may_stop = logs or hardware.world == 1  # several ranks agree at logged steps, where no sums are their own
        stops = may_stop and hardware.any(interrupt.signum is not None)
        due = may_stop and time.monotonic() - last_save >= settings.checkpoint_seconds
        if stops or finished or due:
            recorder.save(state.step, _state_dict(state, objective, optimizer))
            last_save = time.monotonic()
        if stops and not finished:
            raise Interrupted(interrupt.signum or signal.SIGTERM)
    return state


def num_steps(settings: Settings, stream: Stream) -> int:
    """Steps of one stage: ``optim.epochs`` or ``optim.max_steps``, whichever is less."""
    steps = settings.optim.epochs * stream.steps_per_epoch
    return min(steps, settings.optim.max_steps or steps)


def _backward(
    model: nn.Module, pieces: list[Batch], logs: bool, hardware: Hardware, counter: Counter
) -> dict[str, Tensor]:
    """Accumulate the gradients of one batch; returns the means over its pieces of what is to be logged."""
    means: dict[str, Tensor] = {}
    for number, piece in enumerate(pieces, start=1):
        is_last = number == len(pieces)
        with model.no_sync() if hardware.world > 1 and not is_last else nullcontext():  # type: ignore[operator]
            with counter(), hardware.autocast():
                output: StepOutput = model(piece)
            loss = output.loss
            values = {"loss": loss.detach(), **{name: value.detach() for name, value in output.metrics.items()}}
            values |= {f"loss_{name}": term.detach() for name, term in output.terms.items() if len(output.terms) > 1}
            if logs and len(output.terms) > 1:
                values |= {f"gradient_share_{name}": share for name, share in output.gradient_shares().items()}
            with counter():
                (loss / len(pieces)).backward()
        for name, value in values.items():
            means[name] = means.get(name, 0) + value / len(pieces)
    return means


def _read(state: State, hardware: Hardware) -> dict[str, float]:
    """Means since the last logged step, over ranks, as numbers; this is where the device is waited for."""
    names = sorted(state.sums)
    means = torch.stack([state.sums[name].float() / state.counts[name] for name in names])
    state.sums, state.counts = {}, {}
    return dict(zip((f"train/{name}" for name in names), hardware.mean(means).tolist(), strict=True))


def _require_finite(loss: float, step: int) -> None:
    if not math.isfinite(loss):
        raise RunError(f"the loss is {loss} at step {step}; lower optim.lr, or set optim.clip_norm=1")


def _judge(state: State, score: list[float], objective: Objective) -> None:
    if state.best is None or score > state.best.score:
        weights = {name: value.detach().clone() for name, value in objective.state_dict().items()}
        state.best, state.stale = Best(score, state.step, weights), 0
    else:
        state.stale += 1


def _is_stale(state: State, patience: int | None) -> bool:
    return patience is not None and state.stale >= patience


def _state_dict(state: State, objective: Objective, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    own = {field.name: getattr(state, field.name) for field in fields(State)}
    own["best"] = vars(state.best) if state.best else None
    return {"state": own, "objective": objective.state_dict(), "optimizer": optimizer.state_dict()}


def _restore(saved: dict[str, Any] | None, objective: Objective, optimizer: torch.optim.Optimizer) -> State:
    if saved is None:
        return State()
    objective.load_state_dict(saved["objective"])
    optimizer.load_state_dict(saved["optimizer"])
    own = saved["state"]
    return State(**{**own, "best": Best(**own["best"]) if own["best"] else None})
