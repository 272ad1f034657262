"""Does a gradient reach anything but the student? Seen from outside of a training, step by step."""

from collections.abc import Iterable, Iterator
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_pre_hook

from sdrun.objectives.objective import Objective
from sdrun.trees import leaves


class Watch:
    """Looks at every step of a training while it is open: what the objective said, and what else spoke.

    ``taught``: whether there were targets, step by step; ``faults``: what is wrong, each once.
    """

    def __init__(self) -> None:
        self.taught: list[bool] = []
        self.faults: list[str] = []
        self._objective: Objective | None = None
        self._speakers: set[nn.Module] = set()

    def __enter__(self) -> "Watch":
        self._hooks = [
            register_module_forward_pre_hook(self._before_forward),
            register_module_forward_hook(self._after_forward),
            register_optimizer_step_pre_hook(self._before_optimizer),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _require(self, condition: bool, fault: str) -> None:
        if not condition and fault not in self.faults:
            self.faults.append(fault)

    def _before_forward(self, module: nn.Module, _: tuple) -> None:
        if isinstance(module, Objective):
            self._speakers = set()  # of an evaluation

    def _after_forward(self, module: nn.Module, _: tuple, output: Any) -> None:
        if not isinstance(module, Objective):
            self._speakers.add(module)
            return
        targets = [] if output.targets is None else list(leaves(output.targets))
        self._require(not any(target.requires_grad for target in targets), "a gradient reaches the targets")
        self.taught.append(bool(targets))
        self._objective = module

    def _before_optimizer(self, *_: object) -> None:
        """Gradients are there, and the weights are still those that gave them."""
        if self._objective is None:
            return  # a judge fits something
        student = list(self._objective.student.modules())
        judged = [part for network in self._objective.networks.values() for part in network.modules()]
        others = {*self._objective.modules(), *judged, *self._speakers} - {self._objective, *student}
        own = {tensor.data_ptr() for tensor in _tensors(student)}
        shares = own & {tensor.data_ptr() for tensor in _tensors(others)}
        is_reached = any(p.requires_grad or p.grad is not None for p in _parameters(others))
        is_training = any(module.training for module in others if list(_parameters([module])))
        self._require(any(p.grad is not None for p in _parameters(student)), "the student learns nothing")
        self._require(not shares, "another network shares the student's storage")
        self._require(not is_reached, "a gradient reaches another network than the student")
        self._require(not is_training, "another network than the student is in training mode")
        self._objective = None


def _parameters(modules: Iterable[nn.Module]) -> Iterator[nn.Parameter]:
    """Their own, without those of their parts."""
    return (parameter for module in modules for parameter in module.parameters(recurse=False))


def _tensors(modules: Iterable[nn.Module]) -> Iterator[Tensor]:
    yield from _parameters(modules)
    for module in modules:
        yield from (buffer for buffer in module.buffers(recurse=False) if buffer.numel())
