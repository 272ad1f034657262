"""The items of a run as a recipe learns from them: streams of some or all of them, and the periods of a stream."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from sdrun import loop
from sdrun.context import Context
from sdrun.data.labelled import Labelled
from sdrun.data.source import Only, Rows, Source
from sdrun.errors import require
from sdrun.settings import CLEAN
from sdrun.streams.batch import Stream
from sdrun.streams.shuffled import Shuffled


class Items:
    """``labels`` [N]: those of the training items that a run may know, -1 where there is none; ``truth``: the same, or
    where labels are soft their shares of the classes [N, K].
    """

    def __init__(self, context: Context) -> None:
        self.settings, self.hardware = context.settings, context.hardware
        self.task, self.data = context.task, context.data
        self.device = context.hardware.device
        self.labels = torch.tensor(self.data.labels["train"], device=self.device)
        self.truth = torch.tensor(self.data.splits.learned["train"], device=self.device)
        self.with_labels = torch.tensor(self.data.splits.labelled, device=self.device)

    @property
    def known(self) -> Source:
        """The training items whose labels are known."""
        return Rows(self.task.parts["train"], self.with_labels)

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
        return self._stream(source, everything, views, times, words, [lineage_of(source)])

    def labelled(self, index: int, views: Mapping[str, int], times: int = 1) -> Shuffled:
        """The training items whose labels are known, and no others: an epoch is a round over these.

        ``times`` as many a step as a batch has.
        """
        source = self.known
        everything = torch.arange(len(source), device=self.device)
        return self._stream(source, everything, views, times, (self.settings.seed, index, "labelled"))

    def period(self, numbers: Sequence[int]) -> Source:
        """The items of some periods of a stream, of which nothing else is known."""
        items, inputs = self._learned(numbers), self.task.inputs
        if isinstance(items, Labelled):
            assert self.task.further
            return Only(self.task.further(items), inputs)
        return Rows(Only(self.task.parts["train"], inputs), torch.as_tensor(items, device=self.device))

    def of_tasks(self, numbers: Sequence[int]) -> Source:
        """The training items of some tasks of a stream whose labels are known."""
        splits = self.data.splits
        if not splits.tasks:  # of a finished run that is only used
            return self.task.parts["train"]
        own = np.isin(splits.task_of("train")[splits.labelled], list(numbers))
        return Rows(self.task.parts["train"], torch.as_tensor(splits.labelled[own], device=self.device))

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

    def num_steps(self, stream: Stream, stage: str = "") -> int:
        """Steps of a stage on this stream."""
        return loop.num_steps(self.settings.of_stage(stage), stream)

    def steps_ahead(self) -> list[int]:
        """Those of the stages to come; where each period is one, of the labelled one and of the longest other, if all
        are there.
        """
        periods = self.data.splits.periods
        if self.settings.method.is_periodic and self.data.splits.tasks:
            streams = [self.stream(0, {}, source=self.of_tasks([number])) for number in (0, 1)]
            return [self.num_steps(stream, name) for stream, name in zip(streams, self.periods, strict=False)]
        if self.settings.method.is_periodic and periods and periods.smallest is None:
            streams = [self.labelled(0, {})]
        elif self.settings.method.is_periodic:
            streams = [self.labelled(0, {}), self.stream(1, {}, source=self.period([1]))]
        else:
            stream = self.unlabelled(0, {})  # as any stream of all training items
            return [self.num_steps(stream, name) for name in self.settings.method.stages]
        return [self.num_steps(stream) for stream in streams]

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


def lineage_of(source: Source) -> dict[str, str]:
    """What a manifest says of items that a stage learns from."""
    return {"stage": "items", "sha256": source.fingerprint}
