"""Optimisers from settings."""

from typing import Any

import torch
from torch import nn

from sdrun.settings import OptimSettings


def parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Trained parameters in two groups: weights with decay; biases, norms and embeddings without."""
    embeddings = {id(part.weight) for part in module.modules() if isinstance(part, nn.Embedding)}
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for parameter in module.parameters():
        if parameter.requires_grad:
            is_plain = parameter.ndim <= 1 or id(parameter) in embeddings
            (plain if is_plain else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": weight_decay, "decays": True},
        {"params": plain, "weight_decay": 0.0, "decays": False},
    ]
    return [group for group in groups if group["params"]]


def clip(parameters: list[nn.Parameter], settings: OptimSettings) -> None:
    """Scale gradients down to ``optim.clip_each``, each parameter's by itself, and to ``optim.clip_norm`` together."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if settings.clip_each is not None:
        norms = torch._foreach_norm(gradients)
        torch._foreach_mul_(gradients, [(settings.clip_each / (norm + 1e-6)).clamp_max(1.0) for norm in norms])
    if settings.clip_norm is not None:
        nn.utils.clip_grad_norm_(parameters, settings.clip_norm)


def build(settings: OptimSettings, module: nn.Module, device: torch.device) -> torch.optim.Optimizer:
    """The optimiser that the settings name, in torch's fused form where the device has one."""
    groups = parameter_groups(module, settings.weight_decay)
    fused = device.type in ("cpu", "cuda")
    if settings.name == "sgd":
        momentum: float = settings.momentum  # type: ignore[attr-defined]
        return torch.optim.SGD(groups, settings.lr, momentum=momentum, nesterov=momentum > 0, fused=fused)
    betas: list[float] = settings.betas  # type: ignore[attr-defined]
    return torch.optim.AdamW(groups, settings.lr, betas=(betas[0], betas[1]), fused=fused)
