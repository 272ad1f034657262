"""How a model of timm is made for images, and where it is cut; found out without weights, on the meta device."""

import warnings
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache, partial
from typing import Any, NamedTuple

import timm
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from sdrun.errors import InputError, require, said
from sdrun.models.backbone import Taps
from sdrun.settings import Item


class Plan(NamedTuple):
    """``options``: of timm's constructor; ``taps``: by timm's names, and their channels or width, none for a whole.

    ``parts``: of maps, the modules from tap to tap, and last those from the last tap to timm's head.
    """

    options: dict[str, Any]
    num_features: int
    taps: dict[str, int]
    taps_are: Taps
    parts: list[list[str]]


def usual(name: str) -> Plan:
    """The plan for images as timm trained the model on."""
    _require_name(name)
    return plan(name, Item("images", tuple(timm.get_pretrained_cfg(name).input_size)))


@cache
def plan(name: str, item: Item) -> Plan:
    """The plan for such images. Raises InputError where timm has no such model, or it does not take them."""
    _require_name(name)
    channels, *size = item.shape
    sizes = {"img_size": tuple(size), "dynamic_img_size": True}
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]), torch.device("meta"), torch.no_grad():
        warnings.simplefilter("ignore")  # of what has no elements, where images are too small
        for taken in (sizes, {"img_size": tuple(size)}, {}):
            options, images = {"num_classes": 0, "in_chans": channels, **taken}, torch.empty(1, *item.shape)
            try:
                model = timm.create_model(name, **options).eval()
                shape = model(images).shape
            except Exception as error:  # of any kind: each model has its own way to say that it takes no such images
                if taken and "unexpected keyword argument" in str(error):
                    continue
                raise InputError(f"model.name: {name} takes no {item} ({said(error)}); choose another") from error
            require(len(shape) == 2, "model.name", f"{name} gives no features [B, D]; choose another")
            return _planned(model, options, images, shape[1])
    raise AssertionError("without a size, no size is unexpected")


def _planned(model: Any, options: dict[str, Any], images: Tensor, num_features: int) -> Plan:
    infos = vars(model).get("feature_info", [])
    if isinstance(model, VisionTransformer):
        taps = {info["module"]: info["num_chs"] for info in infos if model.cls_token is not None}
        return Plan(options, num_features, taps, Taps.tokens, [])
    chain = _chain(model, [info["module"] for info in infos], images)
    taps = _halving(infos, chain)
    return Plan(options, num_features, taps, Taps.maps, _parts(chain, taps))


def _chain(model: Any, taps: list[str], images: Tensor) -> dict[str, Tensor]:
    """The modules that timm calls one after the other, and what each gives; empty if anything happens in between."""
    calls: list[tuple[str, tuple, Tensor]] = []

    def note(name: str, _: nn.Module, inputs: tuple, further: dict[str, Any], output: Tensor) -> None:
        calls.append((name, (*inputs, *further.values()), output))

    for name, module in _links(model, taps):
        module.register_forward_hook(partial(note, name), with_kwargs=True)
    last, x, chain = model.forward_features(images), images, {}
    for name, inputs, output in calls:
        if len(inputs) != 1 or inputs[0] is not x or name in chain:
            return {}
        chain[name] = x = output
    return chain if x is last else {}


def _links(module: nn.Module, taps: Iterable[str], place: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The children by name; of a sequence with taps inside, its own."""
    for name, child in module.named_children():
        path = f"{place}{name}"
        if isinstance(child, nn.Sequential) and any(tap.startswith(f"{path}.") for tap in taps):
            yield from _links(child, taps, f"{path}.")
        else:
            yield path, child


def _halving(infos: list[dict[str, Any]], chain: dict[str, Tensor]) -> dict[str, int]:
    """Taps on the chain, each of half the resolution of the one before; of several of one resolution the deepest."""
    taps: list[dict[str, Any]] = []
    for info in reversed(infos):
        shape = chain[info["module"]].shape if info["module"] in chain else ()
        is_map = len(shape) == 4 and shape[1] == info["num_chs"]
        if is_map and (not taps or 2 * info["reduction"] == taps[-1]["reduction"]):
            taps.append(info)
    return {info["module"]: info["num_chs"] for info in reversed(taps)}


def _parts(chain: Iterable[str], taps: Iterable[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for name in chain:
        parts[-1].append(name)
        if name in taps:
            parts.append([])
    return parts


def _require_name(name: str) -> None:
    if not timm.is_model(name):
        near = get_close_matches(name, timm.list_models(), n=1)
        hint = f"did you mean {near[0]}?" if near else "see: timm.list_models()"
        raise InputError(f"model.name: {name!r} is none of timm's; {hint}")
    try:
        timm.get_pretrained_cfg(name)
    except RuntimeError as error:  # of what follows the dot, timm's name of weights
        raise InputError(f"model.name: {said(error)}; did you mean {name.partition('.')[0]}?") from error
