"""The items of a run, as judges see them."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from sdrun.data.source import Source, at_once
from sdrun.errors import RunError
from sdrun.hardware import Hardware
from sdrun.judges.judge import Evaluable
from sdrun.models.backbone import Features
from sdrun.settings import CLEAN
from sdrun.task import Task
from sdrun.trees import Tree


class Parts:
    """The items of a run as judges see them: part by part, clean.

    ``labels`` [N]: those that a run may know, which is all of ``val`` and ``test``, and -1 where ``train`` has none.
    ``right``: of ``val`` and ``test``, or where several classes are, which [N, K].
    ``crowd``: see ``Labelled``, of the parts that have it. ``copy``: the part that is a copy of the test set seen
    through another view, if there is one.
    """

    def __init__(self, task: Task, hardware: Hardware) -> None:
        self.task, self.splits, self.copy = task, task.splits, task.copy
        self.clean, self.autocast, self.device = task.views[CLEAN], hardware.autocast, hardware.device
        self.labels = dict(task.splits.labels)
        self.right = {name: task.splits.right(name) for name in task.splits.parts if name != "train"}
        self.crowd = {name: part.crowd for name, part in task.splits.parts.items() if part.crowd is not None}
        if task.copy:
            self.labels[task.copy], self.right[task.copy] = self.labels["test"], self.right["test"]

    @property
    def held_out(self) -> list[str]:
        """``val``, where validation is split off, ``test``, and its copy."""
        return [part for part in ("val", "test", self.copy) if part and len(self.labels[part])]

    def first(self, part: str, num: int) -> Tree:
        """The first ``num`` items of a part, seen clean."""
        source = self.task.parts[part]
        return self._seen(source, torch.arange(min(num, len(source)), device=self.device))

    def shown(self, part: str, index: np.ndarray) -> list[np.ndarray] | list[str] | None:
        """Items of a part to be looked at; see ``Task.shown``."""
        return self.task.shown(self._seen(self.task.parts[part], torch.as_tensor(index, device=self.device)))

    def pictures(self, part: str, index: np.ndarray) -> np.ndarray:
        """Items as an array [N, C, H, W] uint8; only of a task that has a ``picture``."""
        return np.stack(self.shown(part, index))  # type: ignore[arg-type]

    def outputs(self, network: Evaluable, part: str, index: np.ndarray | None = None) -> Tensor:
        """Logits or final features of the items of a part, or of those at ``index``: float32 [N, D], on the device.

        Raises RunError where they are NaN or infinite.
        """
        return self.outputs_by_word(network, part, index)[""]

    @torch.no_grad()
    def outputs_by_word(self, network: Evaluable, part: str, index: np.ndarray | None = None) -> dict[str, Tensor]:
        """The same of a network that gives several; of another one, by the empty word."""
        source = self.task.parts[part]
        chosen = np.arange(len(source)) if index is None else index
        by_word = self._outputs(network, source, torch.as_tensor(chosen, device=self.device))
        require_finite(f"the network's outputs for {part}", by_word.values())
        return by_word

    @torch.no_grad()
    def answers(self, network: Evaluable, items: Source, trained: Iterable[nn.Module] = ()) -> Tensor:
        """What a network says of items that are no part, such as a period of a stream; see ``outputs``.

        ``trained``: those of its modules that are in training mode while it does.
        """
        answers = self._outputs(network, items, torch.arange(len(items), device=self.device), trained)[""]
        require_finite("the network's outputs", [answers])
        return answers

    def _outputs(
        self, network: Evaluable, source: Source, index: Tensor, trained: Iterable[nn.Module] = ()
    ) -> dict[str, Tensor]:
        if isinstance(network, nn.Module):
            network.eval()
        for module in trained:
            module.train()
        with self.autocast():
            batches = index.split(at_once(self.splits.item.shape))
            outputs = [_by_word(network(self._seen(source, batch))) for batch in batches]
        return {word: torch.cat([output[word].float() for output in outputs]) for word in outputs[0]}

    def _seen(self, source: Source, index: Tensor) -> Tree:
        fields = {name: values.to(self.device) for name, values in source.fetch(index).items()}
        return self.clean(fields, torch.empty(len(index), 0, device=self.device))


def _by_word(outputs: Tensor | Features | dict[str, Tensor]) -> dict[str, Tensor]:
    if isinstance(outputs, dict):
        return outputs
    return {"": outputs.final if isinstance(outputs, Features) else outputs}


def require_finite(what: str, tensors: Iterable[Tensor]) -> None:
    """Raise RunError where floating numbers are NaN or infinite; the device is waited for once."""
    flags = [tensor.isfinite().all() for tensor in tensors if tensor.is_floating_point()]
    if not torch.stack(flags).all():
        raise RunError(f"{what} are not finite; lower optim.lr, or set optim.clip_norm=1")
