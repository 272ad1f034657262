"""What a recipe works with: students, streams, and stages that happen once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from sdrun import loop, models
from sdrun.answers.categorical import Categorical
from sdrun.context import Context
from sdrun.data.labelled import Labelled
from sdrun.data.source import Fields, Memory, Only, Rows, Source
from sdrun.errors import require
from sdrun.judges.judge import Evaluable, Judge, TrainingJudge
from sdrun.models.backbone import Backbone, Network
from sdrun.objectives.objective import Objective
from sdrun.objectives.surrogates import Surrogate, surrogate
from sdrun.randomness import seed_of
from sdrun.settings import CLEAN, Control, ModelSettings
from sdrun.stages import Stages
from sdrun.storage.initial import initial
from sdrun.streams.batch import Stream
from sdrun.streams.shuffled import Shuffled
from sdrun.teachers.frozen import Frozen

Make = Callable[[Backbone], nn.Module]
"""Puts heads on a backbone."""


@dataclass(frozen=True)
class Stage:
    """A finished stage: its network with the weights that count, and the hash of the file that they came from.

    ``run``: the folder of the run that it is of, where that is another.
    """

    name: str
    network: nn.Module
    sha256: str
    metrics: dict[str, float]
    run: str | None = None

    @property
    def lineage(self) -> dict[str, str]:
        """What a manifest says of a stage that teaches; see ``Objective.teachers``."""
        return {"stage": self.name, "sha256": self.sha256, **({"run": self.run} if self.run else {})}


class Experiment:
    """One run's task, hardware and stages, as a recipe uses them.

    ``guests``: stages of other runs that teach, none where nothing is trained or judged.
    ``answers``: what networks say in this task; ``labels`` [N]: those of the training items that a run may know, -1
    where there is none; ``truth``: the same, or where labels are soft their shares of the classes [N, K].
    """

    def __init__(self, context: Context, stages: Stages) -> None:
        self.settings, self.hardware, self.task, self.stages = context.settings, context.hardware, context.task, stages
        self.answers, self.data = context.task.answers, context.data
        self.device = context.hardware.device
        self._display = context.display
        self.labels = torch.tensor(self.data.labels["train"], device=self.device)
        self.truth = torch.tensor(self.data.splits.learned["train"], device=self.device)
        self.with_labels = torch.tensor(self.data.splits.labelled, device=self.device)
        self.initial = initial(context.settings)
        self.guests = [Stage(guest.stage, guest.network, guest.sha256, {}, guest.run) for guest in context.guests]
        self._makes: WeakKeyDictionary[nn.Module, Make | None] = WeakKeyDictionary()
        self._others: WeakKeyDictionary[nn.Module, str] = WeakKeyDictionary()
        self.judge: TrainingJudge = context.task.judge(self.data)
        if context.settings.optim.class_weights:
            assert isinstance(self.answers, Categorical)
            self.answers = self.answers.balanced(self.labels[self.with_labels])

    @property
    def num_train(self) -> int:
        """Training items, with labels or without."""
        return len(self.task.parts["train"])

    @property
    def has_hidden(self) -> bool:
        """Whether some training items have no label."""
        return len(self.with_labels) < self.num_train

    @property
    def periods(self) -> list[str]:
        """Names of the periods of a stream, the one with labels first."""
        stream = self.settings.dataset.stream
        return stream.names if stream else []

    @property
    def num_classes(self) -> int:
        """Of categorical answers."""
        return len(self.task.splits.classes)

    def student(self, index: int, make: Make | None = None, model: ModelSettings | None = None) -> Any:
        """A fresh network for the stage number ``index``, initialised from (seed, index) and ``init_from`` alone.

        ``make`` puts heads on a backbone; by default the one of the task's answers. ``model``: another than the run's,
        which starts from ``init_from`` no more than from chance.
        """
        backbone, student = self._network(model or self.settings.model, index, make)
        if self.initial and not model:
            self.initial.load_into(backbone)
        self._makes[student] = make
        if model:
            self._others[student] = model.title
        return self.hardware.place(student)

    def stream(
        self,
        index: int,
        views: Mapping[str, int] | None = None,
        *,
        source: Source | None = None,
        times: int = 1,
        word: str = "",
    ) -> Shuffled:
        """The training items whose labels are known, ordered and augmented by (seed, index, step) alone.

        An epoch has as many steps as it would if all items had labels. ``views``: how many views of each role an item
        has in a batch; by default one that is weak. ``source``: all items of another source instead, whose fingerprint
        stands with the stage's teachers in the manifest, so that the stage goes on with no others. ``times`` as many a
        step as a batch has; ``word``: which one it is of a stage's streams, where there are several.
        """
        words, views = (self.settings.seed, index, *([word] if word else [])), views or {"weak": 1}
        if source is None:
            return self._stream(self.task.parts["train"], self.with_labels, views, times, words)
        everything = torch.arange(len(source), device=self.device)
        return self._stream(source, everything, views, times, words, [_items(source)])

    def labelled(self, index: int, views: Mapping[str, int], times: int = 1) -> Shuffled:
        """The training items whose labels are known, and no others: an epoch is a round over these.

        ``times`` as many a step as a batch has.
        """
        source = Rows(self.task.parts["train"], self.with_labels)
        everything = torch.arange(len(source), device=self.device)
        return self._stream(source, everything, views, times, (self.settings.seed, index, "labelled"))

    def period(self, numbers: Sequence[int]) -> Source:
        """The items of some periods of a stream, of which nothing else is known."""
        items, inputs = self._learned(numbers), self.task.inputs
        if isinstance(items, Labelled):
            assert self.task.further
            return Only(self.task.further(items), inputs)
        return Rows(Only(self.task.parts["train"], inputs), torch.as_tensor(items, device=self.device))

    def hidden(self, numbers: Sequence[int]) -> np.ndarray | None:
        """The labels [N] of some periods, which judges alone may know; None where there are none."""
        periods = self.data.splits.periods
        return periods.hidden(numbers) if periods else None

    def _learned(self, numbers: Sequence[int]) -> np.ndarray | Labelled:
        """See ``Periods.learned``. Of a finished run that is only used, one training item stands for all."""
        periods = self.data.splits.periods
        return periods.learned(numbers) if periods else np.arange(1)

    @property
    def least(self) -> int:
        """Items without which nothing can be trained on."""
        return self.settings.model.smallest_batch * self.hardware.world * self.settings.optim.accumulate

    def unlabelled(self, index: int, views: Mapping[str, int], times: int = 1) -> Shuffled:
        """All training items, of which nothing else is known, ``times`` as many a step as a labelled batch has."""
        source = Only(self.task.parts["train"], self.task.inputs)
        everything = torch.arange(len(source), device=self.device)
        return self._stream(source, everything, views, times, (self.settings.seed, index, "unlabelled"))

    def num_steps(self, stream: Stream) -> int:
        """Steps of a stage on this stream."""
        return loop.num_steps(self.settings, stream)

    def steps_ahead(self) -> list[int]:
        """Those of the stages to come; where each period is one, of the labelled one and of the longest other, if all
        are there.
        """
        periods = self.data.splits.periods
        if self.settings.method.is_periodic and periods and periods.smallest is None:
            streams = [self.labelled(0, {})]
        elif self.settings.method.is_periodic:
            streams = [self.labelled(0, {}), self.stream(1, {}, source=self.period([1]))]
        else:
            streams = [self.unlabelled(0, {})]  # as any stream of all training items
        return [self.num_steps(stream) for stream in streams]

    def teacher(
        self, stages: Sequence[Stage], role: str = "weak", asked: Callable[[nn.Module], nn.Module] | None = None
    ) -> Frozen:
        """The students of finished stages as one teacher, frozen, which sees the view ``role``.

        ``asked``: puts around each network what gives more than its answer.
        """
        networks = [asked(stage.network) if asked else stage.network for stage in stages]
        return Frozen(networks, self.answers, self.hardware.autocast, role, [stage.lineage for stage in stages])

    def fit(self, name: str, objective: Objective, stream: Stream, judge: TrainingJudge | None = None) -> Stage:
        """Train and judge the stage ``name``, or what is left of it, and return its network.

        A finished stage is not run again; a half-done one goes on from its last checkpoint. ``judge``: the task's own,
        if it is not said.
        """
        objective.surrogate = self._surrogate(objective)
        other = self._others.get(objective.student, "")
        result = self.stages.fit(name, objective, stream, judge or self.judge, other)
        network = next(iter(objective.networks.values()))
        sha256 = result.sha256[self.settings.optim.select.value]
        return Stage(name, network.eval(), sha256, result.metrics)

    def make(
        self, name: str, produce: Callable[[], Fields], teachers: Sequence[Stage] = (), of: Source | None = None
    ) -> Memory:
        """The items of the stage ``name``, such as refined labels or cached targets, as a source.

        ``produce`` gives their fields [N, ...] by name, once: a finished stage is read and never made again, and its
        hash and those of the ``teachers`` whose answers are in it, and of the items that these are ``of``, are kept.
        On the first rank only.
        """
        lineage = [stage.lineage for stage in teachers] + ([_items(of)] if of else [])
        return Memory(self.stages.make(name, produce, lineage))

    def evaluate(self, name: str, network: Evaluable, judge: Judge | None = None, other: str = "") -> dict[str, float]:
        """What comes of judging a network as a stage of its own that trains nothing; ``other``: see ``StageResult``."""
        return self.stages.evaluate(name, network, judge or self.judge, other).metrics

    def release(self, *names: str) -> None:
        """Delete the weights or items of finished stages, for nothing needs them any more; what came out stays."""
        for name in names:
            self.stages.release(name)

    def released(self, name: str, network: nn.Module) -> Stage | None:
        """A stage that was released, None of any other; ``network`` is to get the weights of a later one."""
        result = self.stages.released(name)
        sha256 = result.sha256.get(self.settings.optim.select.value, "") if result else ""
        return Stage(name, network, sha256, result.metrics) if result else None

    def tell(self, title: str, line: str) -> None:
        """Say something of the run to whoever waits for it."""
        self._display.tell(title, [line])

    def _network(self, model: ModelSettings, word: object, make: Make | None) -> tuple[Backbone, nn.Module]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_of(self.settings.seed, word, "init"))
            backbone = models.build(model, self.task.splits.item)
            return backbone, make(backbone) if make else Network(backbone, self.answers.head(backbone.num_features))

    def _surrogate(self, objective: Objective) -> Surrogate | None:
        """Who speaks in the place of the objective's teacher, as ``control`` says."""
        control, untrained = self.settings.control, None
        if control is Control.none or not objective.is_taught:
            return None
        if control is Control.random:
            model = self.settings.model.untrained()
            untrained = self.hardware.place(self._network(model, "untrained", self._makes.get(objective.student))[1])
        return surrogate(control, self.num_classes, untrained).to(self.device)

    def _stream(
        self,
        source: Source,
        pool: Tensor,
        views: Mapping[str, int],
        times: int,
        words: tuple[object, ...],
        lineage: Sequence[dict[str, str]] = (),
    ) -> Shuffled:
        optim, hardware, task = self.settings.optim, self.hardware, self.task
        parts = hardware.world * optim.accumulate
        enough = f"must be at most {len(source)}, with so many items to learn from"
        require(len(source) >= parts, "optim.accumulate", enough)
        return Shuffled(
            source,
            inputs=task.inputs,
            views={role: (task.views[role], num) for role, num in views.items()},
            clean=task.views[CLEAN],
            pool=pool,
            batch_size=min(optim.batch_size, len(source) // parts * parts) * times,
            words=words,
            rank=hardware.rank,
            world=hardware.world,
            lineage=lineage,
        )


def _items(source: Source) -> dict[str, str]:
    """What a manifest says of items that a stage learns from."""
    return {"stage": "items", "sha256": source.fingerprint}
