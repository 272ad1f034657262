"""Weights for a model of timm, from a file or from timm's own download."""

import logging
import re
from pathlib import Path
from typing import Any

import timm
from timm.models import load_state_dict
from torch import Tensor, nn

from sdrun.errors import InputError, require, said
from sdrun.models.timm.settings import TIMM

MISMATCH = re.compile(r"size mismatch for (\S+): .*?Size\((.*?)\).*?Size\((.*?)\)")


def pretrained(name: str, origin: str, options: dict[str, Any]) -> nn.Module:
    """The model with these weights. Raises InputError where they cannot be had, or do not fit."""
    if origin == TIMM:
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # the error says what each of its retries would
        try:
            return timm.create_model(name, pretrained=True, **options)
        except Exception as error:  # of any kind: hubs, proxies and servers have their own
            way_out = "give the path of a file, or null"
            raise InputError(f"model.pretrained: timm has no weights of {name} ({said(error)}); {way_out}") from error
    state = _read(origin)
    classifier = timm.get_pretrained_cfg(name).classifier or ()
    heads = (classifier,) if isinstance(classifier, str) else classifier
    body = {key: value for key, value in state.items() if key.rpartition(".")[0] not in heads}
    require(bool(body), "model.pretrained", f"{origin} holds nothing but a classifier; choose another")
    overlay = {"state_dict": body, "num_classes": 0, "label_offset": 0, "custom_load": False}
    try:
        return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **options)
    except Exception as error:  # of any kind: timm renames keys as each model had them earlier
        raise InputError(f"model.pretrained: {origin} does not fit {name}: {_misfit(error)}; choose another") from error


def _read(file: str) -> dict[str, Tensor]:
    way_out = "give the path of a .safetensors or .pth file, or timm"
    require(Path(file).is_file(), "model.pretrained", f"{file} is no file; {way_out}")
    try:
        state = load_state_dict(file, weights_only=True)
        if all(isinstance(value, Tensor) for value in state.values()) and state:
            return state
        reason = "it holds no tensors by name"
    except Exception as error:  # of any kind: a broken file is told by whichever library reads it
        reason = said(error)
    raise InputError(f"model.pretrained: {file} cannot be read ({reason}); {way_out}")


def _misfit(error: Exception) -> str:
    """The first key that does not fit, with both shapes."""
    if mismatch := MISMATCH.search(str(error)):
        key, own, other = mismatch.groups()
        return f"{key} is {own} there, and {other} in the model"
    lines = str(error).splitlines()
    return lines[1].strip().partition(",")[0] if len(lines) > 1 else said(error)
