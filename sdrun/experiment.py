"""What a recipe works with: its items, students, and stages that happen once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from sdrun import models
from sdrun.answers.categorical import Categorical
from sdrun.context import Context
from sdrun.data.source import Fields, Memory, Source
from sdrun.items import Items, lineage_of
from sdrun.judges.judge import Evaluable, Judge, TrainingJudge
from sdrun.models.backbone import Backbone, Network
from sdrun.objectives.objective import Objective
from sdrun.objectives.surrogates import Surrogate, surrogate
from sdrun.randomness import Draws, seed_of
from sdrun.settings import Control, ModelSettings
from sdrun.stages import Stages
from sdrun.storage.initial import initial
from sdrun.streams.batch import Stream
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


class Experiment(Items):
    """One run's task, hardware and stages, as a recipe uses them.

    ``guests``: stages of other runs that teach, none where nothing is trained or judged; ``answers``: what networks say
    in this task.
    """

    def __init__(self, context: Context, stages: Stages) -> None:
        super().__init__(context)
        self.stages, self.answers, self._display = stages, context.task.answers, context.display
        self.initial = initial(context.settings)
        self.guests = [Stage(guest.stage, guest.network, guest.sha256, {}, guest.run) for guest in context.guests]
        self._makes: WeakKeyDictionary[nn.Module, Make | None] = WeakKeyDictionary()
        self._others: WeakKeyDictionary[nn.Module, str] = WeakKeyDictionary()
        self.judge: TrainingJudge = context.task.judge(self.data)
        if context.settings.optim.class_weights:
            assert isinstance(self.answers, Categorical)
            self.answers = self.answers.balanced(self.labels[self.with_labels])

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
        objective.surrogate = self._in_control(objective.student) if objective.is_taught else None
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
        lineage = [stage.lineage for stage in teachers] + ([lineage_of(of)] if of else [])
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

    def in_place(self, told: Tensor, items: Source, name: str) -> Tensor:
        """What teachers said of all these items, logits [N, K], or as ``control`` has it for the stage ``name``."""
        surrogate = self._in_control()
        if surrogate is None:
            return told
        if surrogate.network:
            told = self.data.answers(surrogate.network, items)
        surrogate.see([told])
        changed: Tensor = surrogate(told, Draws((self.settings.seed, name), slice(0, len(told)), len(told)))
        return changed

    def keep(self, name: str, make: Callable[[], bytes]) -> None:
        """A file of the run's folder, for whoever uses what came out; see ``Stages.keep``."""
        self.stages.keep(name, make)

    def tell(self, title: str, *lines: str) -> None:
        """Say something of the run to whoever waits for it."""
        self._display.tell(title, lines)

    def _network(self, model: ModelSettings, word: object, make: Make | None) -> tuple[Backbone, nn.Module]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_of(self.settings.seed, word, "init"))
            backbone = models.build(model, self.task.splits.item)
            return backbone, make(backbone) if make else Network(backbone, self.answers.head(backbone.num_features))

    def _in_control(self, student: nn.Module | None = None) -> Surrogate | None:
        """Who speaks in the place of teachers, as ``control`` says; an untrained one is made as a ``student`` is."""
        control, untrained = self.settings.control, None
        if control is Control.none:
            return None
        if control is Control.random:
            model, make = self.settings.model.untrained(), None if student is None else self._makes.get(student)
            untrained = self.hardware.place(self._network(model, "untrained", make)[1])
        return surrogate(control, self.num_classes, untrained).to(self.device)
