"""Keys of settings: which there are, whose they are, and what to say of one that is unknown. Imports no torch."""

import difflib
from collections.abc import Collection, Iterable
from dataclasses import fields, is_dataclass
from typing import get_args, get_origin, get_type_hints

from omegaconf import DictConfig, OmegaConf

from sdrun import methods, models, tasks
from sdrun.choices import TEACHER_MODEL
from sdrun.settings import OPTIMS, ROLES, STREAMS, Settings, StreamSettings, words
from sdrun.storage.earlier import choice_of_preset

SYNONYMS = {
    "learning_rate": "optim.lr",
    "bs": "optim.batch_size",
    "batch": "optim.batch_size",
    "num_epochs": "optim.epochs",
    "steps": "optim.max_steps",
    "iterations": "optim.max_steps",
    "wd": "optim.weight_decay",
    "patience": "optim.early_stop",
    "optimizer": "optim",
    "labels": "dataset.num_labels",
    "n_labels": "dataset.num_labels",
    "noise": "dataset.label_noise",
    "smoothing": "method.label_smoothing",
    "tau": "method.temperature",
    "data": "dataset",
    "data_dir": "dataset.root",
    "arch": "model",
    "backbone": "model",
    "network": "model",
    "algorithm": "method",
    "gpu": "hardware.device",
    "cuda": "hardware.device",
    "workers": "hardware.threads",
    "num_workers": "hardware.threads",
    "amp": "hardware.precision",
    "output_dir": "hydra.run.dir",
}
"""What others call a setting, by the last part of its key."""

MOST_NAMED = 3


def keys_at_root(method: type) -> list[str]:
    """The settings that a method keeps at the root, such as ``generations``."""
    return [field.name for field in fields(method) if field.metadata.get("root")]


def _keys(cls: type, prefix: str) -> set[str]:
    """All dotted keys of a settings class."""
    keys: set[str] = set()
    hints = get_type_hints(cls)
    for name in (field.name for field in fields(cls)):
        kind = hints[name]
        key = f"{prefix}{name}"
        if get_origin(kind) is dict:  # views by role
            keys |= {inner for role in ROLES for inner in _keys(get_args(kind)[1], f"{key}.{role}.")}
        else:
            keys |= _keys(kind, f"{key}.") if is_dataclass(kind) and isinstance(kind, type) else {key}
    return keys


def method_keys(name: str) -> set[str]:
    """All settings of a method by their keys, those of the root too, and of further models those of any family."""
    cls = methods.settings_class(name)
    root = set(keys_at_root(cls))
    families = [models.settings_class(family) for family in models.names()] if TEACHER_MODEL in root else []
    of_models = {key for family in families for key in _keys(family, f"{TEACHER_MODEL}.")}
    return {key for key in _keys(cls, "method.") if key.removeprefix("method.") not in root} | root | of_models


def unknown(key: str, config: DictConfig, choices: Iterable[str]) -> str:
    """What to say of an unknown key: whose it is, or which one was meant; ``choices``: those of ``method``."""
    if key.startswith(f"method.{TEACHER_MODEL}."):
        as_model = OmegaConf.create({**config, "model": config[TEACHER_MODEL]})
        return unknown(key.removeprefix("method.teacher_"), as_model, choices).replace("model.", f"{TEACHER_MODEL}.")
    if key == "method.preset":
        return f"{key}: is no setting any more; use method={_choice_for(config.method, choices)}"
    owners = [("method", f"method={name}", method_keys(name)) for name in methods.names()]
    owners += [("model", f"a {name} model", _keys(models.settings_class(name), "model.")) for name in models.names()]
    for name in tasks.names():
        shared = _keys(tasks.settings_class(name), "dataset.")
        owners.append(("dataset", f"{name} datasets", shared))
        own = tasks.own_settings(name).items()
        owners += [("dataset", f"dataset={dataset}", _keys(cls, "dataset.") - shared) for dataset, cls in own]
    owners += [
        ("dataset", f"dataset/stream={kind}", _keys(cls, "dataset.stream.") - _keys(StreamSettings, "dataset.stream."))
        for kind, cls in STREAMS.items()
    ]
    owners += [("optim", f"optim={name}", _keys(cls, "optim.")) for name, cls in OPTIMS.items()]
    present = dict(words.leaves(OmegaConf.to_container(config)))  # type: ignore[arg-type]
    having = [(group, owner) for group, owner, keys in owners if key in keys]
    if having:
        group, whose = having[0][0], " and ".join(owner for _, owner in having)
        chosen = f"a {config.model.architecture} model" if group == "model" else f"{group}={config[group].name}"
        other = SYNONYMS.get(key.rpartition(".")[2], "")
        hint = f"; did you mean {other}?" if other.partition(".")[0] == group and other in present else ""
        return f"{key}: has no effect with {chosen}; it is a setting of {whose}{hint}"
    all_keys = _keys(Settings, "").union({field.name for field in fields(Settings)}, *(keys for *_, keys in owners))
    meant = _meant(key, sorted(all_keys), present)
    hint = f"did you mean {' or '.join(meant)}?" if meant else "see: sdrun --cfg job"
    return f"{key}: unknown key; {hint}"


def _meant(key: str, keys: list[str], present: Collection[str]) -> list[str]:
    """The keys that end as this one does, or nearly: in the same group, or else those that are ``present``, or all.

    None where they are too many to name.
    """
    group, _, last = key.rpartition(".")
    by_end = {synonym: [meant] for synonym, meant in SYNONYMS.items()}
    for one in keys:
        by_end.setdefault(one.rpartition(".")[2], []).append(one)
    near = [last] if last in by_end else difflib.get_close_matches(last, by_end, n=1)
    meant = by_end[near[0]] if near else []
    meant = [one for one in meant if one.rpartition(".")[0] == group] or meant
    meant = [one for one in meant if one in present] or meant
    return meant if len(meant) <= MOST_NAMED else []


def _choice_for(method: DictConfig, choices: Iterable[str]) -> str:
    """The choice that has the values of a former preset, or else the bare method."""
    choice = choice_of_preset(method.name, str(method.preset))
    return choice if choice in choices else str(method.name)
