"""Statistics of BatchNorm on the items of a period: all that changes of a network that otherwise stays (AdaBN)."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from sdrun.data.source import Fields, Source
from sdrun.errors import require
from sdrun.judges.parts import Parts


def require_statistics(network: nn.Module) -> None:
    """Raise InputError where there are none."""
    has_some = any(isinstance(part, _BatchNorm) for part in network.modules())
    require(has_some, "method.learns", "is statistics, and this model has none of BatchNorm; choose another model")


def statistics(network: nn.Module, items: Source, data: Parts) -> Fields:
    """Mean and variance [C] of every BatchNorm by name, plain means over batches of the items, seen clean (1603.04779).

    The network is left with them, in eval mode.
    """
    norms = {name: part for name, part in network.named_modules() if isinstance(part, _BatchNorm)}
    before = {name: norm.momentum for name, norm in norms.items()}
    for norm in norms.values():
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean
    data.answers(network, items, norms.values())
    for name, norm in norms.items():
        norm.momentum = before[name]
    network.eval()
    return {name: values.clone() for name, values in network.state_dict().items() if _is_of(name, norms)}


def load_statistics(network: nn.Module, fields: Fields) -> None:
    """Take what ``statistics`` gave."""
    network.load_state_dict(fields, strict=False)


def _is_of(name: str, norms: dict[str, _BatchNorm]) -> bool:
    owner, _, last = name.rpartition(".")
    return owner in norms and last in ("running_mean", "running_var", "num_batches_tracked")
