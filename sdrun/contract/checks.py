"""What is checked of every choice, and what of methods, models and datasets besides."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch

from sdrun import tasks
from sdrun.answers.categorical import Categorical
from sdrun.contract import small
from sdrun.contract.subject import Subject
from sdrun.contract.watch import Watch
from sdrun.data.splits import split
from sdrun.errors import InputError, RunError, require
from sdrun.models.backbone import Network

Check = Callable[[Subject], str | None]
"""Returns what is to be said of it beside ok. Raises what is wrong."""


@dataclass(frozen=True)
class Verdict:
    """``fault``: what is wrong, empty where nothing is; ``said``: of what is not."""

    check: str
    fault: str
    said: str


def verdicts(subject: Subject) -> Iterator[Verdict]:
    """Of each check, until one without which the others make no sense."""
    of_group = {"method": METHODS, "model": MODELS, "dataset": DATASETS}[subject.group]
    of_runs = OF_RUNS | (OF_TRAININGS if subject.group == "method" else {})
    for name, check in {COMPOSES: composes, **OF_SETTINGS, **of_group, RUNS: runs, **of_runs}.items():
        verdict = _verdict(name, check, subject)
        yield verdict
        if verdict.fault and name in (COMPOSES, RUNS):
            return


def _verdict(name: str, check: Check, subject: Subject) -> Verdict:
    try:
        return Verdict(name, "", check(subject) or "")
    except (InputError, RunError) as error:
        return Verdict(name, str(error).splitlines()[0], "")
    except Exception as error:
        return Verdict(name, f"{type(error).__name__}: {error}".splitlines()[0], "")


def composes(subject: Subject) -> None:
    settings = vars(subject.settings)[subject.group]
    require(settings.name == subject.name, f"{subject.group}.name", f"is {settings.name!r}; say {subject.name}")


def refuses_unknown_keys(subject: Subject) -> None:
    key = f"{subject.group}.no_such_key"
    with suppress(InputError):
        small.settings(*subject.asked, f"+{key}=1")
        raise RunError(f"{key}=1 is taken, and would be ignored")


def runs(subject: Subject) -> str:
    stages = subject.whole.results()
    return ", ".join(stage.name for stage in stages)


def names_its_stages(subject: Subject) -> None:
    trained = [stage.name for stage in subject.whole.results() if stage.steps]
    told = f"are {', '.join(trained)}, and its settings say {', '.join(subject.settings.stages)}"
    require(trained == list(subject.settings.stages), "its stages", told)


def goes_on(subject: Subject) -> None:
    again = small.in_pieces(subject.folder / "pieces", subject.settings)
    small.require_same(subject.whole, again, "has other weights after a stop; keep all state in the objective")


def teaches_no_teacher(subject: Subject) -> None:
    with Watch() as watch:
        small.start(subject.folder / "watched", subject.settings)
    require(bool(watch.taught), subject.name, "trains no Objective; give experiment.fit one")
    require(not watch.faults, subject.name, "; ".join(watch.faults))


def is_of_its_seed(subject: Subject) -> None:
    states = []
    for seed in (1, 2):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 what a plugin may draw from
        states.append(subject.backbone().state_dict())
    differ = [name for name, value in states[0].items() if not torch.equal(value, states[1][name])]
    require(not differ, ", ".join(differ), "differs between two networks of one seed; draw from torch alone")


def gives_features(subject: Subject) -> str:
    backbone, model, items = subject.backbone(), subject.settings.model, subject.items(4)
    features = backbone(items)
    shape, declared = list(features.final.shape), [4, backbone.num_features]
    require(shape == declared, "its features", f"are {shape} for four items, and should be {declared}")
    require(list(features.taps) == model.taps, "its taps", f"are {list(features.taps)}, and settings say {model.taps}")
    for name, width in backbone.tap_features.items():
        is_declared = width in features.taps[name].shape[1:]
        require(is_declared, name, f"is {list(features.taps[name].shape)}, and tap_features say {width}")
    return f"{backbone.num_features} features" + f", taps {', '.join(model.taps)}" * bool(model.taps)


def learns_all(subject: Subject) -> None:
    backbone = subject.backbone()
    network = Network(backbone, Categorical(3).head(backbone.num_features))
    network(subject.items(4)).sum().backward()
    idle = [name for name, p in network.named_parameters() if p.requires_grad and p.grad is None]
    require(not idle, ", ".join(idle), "gets no gradient, which several ranks need; leave it out, or freeze it")


def answers_alike(subject: Subject) -> None:
    backbone, items = subject.backbone().eval(), subject.items(4)
    with torch.no_grad():
        first, second, alone = (backbone(x).final for x in (items, items, items[:1]))
    require(torch.equal(first, second), subject.name, "answers otherwise each time, in eval(); draw in training alone")
    is_alone = torch.allclose(first[:1], alone, rtol=1e-3, atol=1e-4)
    require(is_alone, subject.name, "answers an item by what is beside it, in eval()")


def is_read_alike(subject: Subject) -> None:
    one, other = (tasks.read(subject.settings.dataset) for _ in range(2))
    differ = [part for part, items in one.parts.items() if items.fingerprint != other.parts[part].fingerprint]
    require(not differ, ", ".join(differ), "differs when it is read again; leave random changes to dataset.views")


def names_classes(subject: Subject) -> str:
    published = subject.published
    names = published.classes
    require(len(set(names)) == len(names), "its classes", f"have one name twice: {', '.join(names)}")
    for part in ("train", "test"):
        labels = published.parts[part].labels
        require(labels.min() >= 0 and labels.max() < len(names), part, f"has labels beyond its {len(names)} classes")
    lacking = [names[number] for number in np.setdiff1d(np.arange(len(names)), published.train.labels)]
    require(not lacking, "train", f"has no item of {', '.join(lacking)}")
    return "; ".join(split(published, subject.settings.dataset).facts)


COMPOSES, RUNS = "composes by its name", "runs, and its folder is whole"
OF_SETTINGS: dict[str, Check] = {"refuses unknown settings": refuses_unknown_keys}
OF_RUNS: dict[str, Check] = {"goes on from a stop, bit for bit": goes_on}
OF_TRAININGS: dict[str, Check] = {"names its stages": names_its_stages}
METHODS: dict[str, Check] = {"no gradient beyond the student": teaches_no_teacher}
MODELS: dict[str, Check] = {
    "gives features and taps": gives_features,
    "same seed, same weights": is_of_its_seed,
    "a gradient for every parameter": learns_all,
    "answers alike in evaluation": answers_alike,
}
DATASETS: dict[str, Check] = {"reads the same again": is_read_alike, "names its classes": names_classes}
