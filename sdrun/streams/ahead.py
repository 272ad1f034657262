"""A stream whose next items are fetched while a step is computed."""

from concurrent.futures import Future, ThreadPoolExecutor

from sdrun.streams.batch import Batch, Stream
from sdrun.trees import Tree

DEPTH = 2
"""Steps that are fetched ahead."""


class Ahead:
    """The batches of ``stream``, the same ones, for steps that follow each other; for items that come from files."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.steps_per_epoch, self.batch_size, self.lineage = stream.steps_per_epoch, stream.batch_size, stream.lineage
        self._thread = ThreadPoolExecutor(1, "fetch")  # one, for a stream remembers the order of its round
        self._coming: dict[int, Future[Tree]] = {}

    def __call__(self, step: int) -> Batch:
        return self.see(step, self.gather(step))

    def gather(self, step: int) -> Tree:
        """See ``Stream.gather``. Raises what that raised ahead."""
        for number in range(step, step + 1 + DEPTH):
            if number not in self._coming:
                self._coming[number] = self._thread.submit(self.stream.gather, number)
        items = self._coming.pop(step).result()
        self._coming = {number: coming for number, coming in self._coming.items() if number > step}
        return items

    def see(self, step: int, items: Tree) -> Batch:
        """See ``Stream.see``."""
        return self.stream.see(step, items)

    def examples(self, rows: int, num: int) -> dict[str, dict[str, Tree]]:
        """See ``Stream.examples``."""
        return self.stream.examples(rows, num)
