"""The paired runs of an ask, as they lie in its folder."""

from sdrun.asks.deciding import Look
from sdrun.asks.declaration import Asked
from sdrun.asks.folder import AskFolder
from sdrun.asks.pairs import Pairs
from sdrun.asks.plan import FEWEST
from sdrun.claims.members import Member, from_json
from sdrun.comparison.declared import together
from sdrun.comparison.runs import Run
from sdrun.sweeps.arms import finished, place


def runs(folder: AskFolder, asked: Asked) -> dict[str, dict[int, Run]]:
    """Those on paired seeds that are finished, by arm and seed. Raises InputError where one cannot be read."""
    by_arm: dict[str, dict[int, Run]] = {}
    for arm in (*folder.content.get("arms", []), *folder.content.get("controls", {})):
        for seed in range(asked.most_seeds):
            if run := finished(folder.path / place(arm, seed)):
                by_arm.setdefault(arm, {})[seed] = run
    return by_arm


def pairs(folder: AskFolder, asked: Asked, is_over: bool = False) -> Pairs:
    """``is_over``: the time is up, so that a look is made of the seeds that are whole."""
    every = runs(folder, asked)
    metrics = (asked.yardstick.metric, asked.yardstick.beside)
    numbers = {
        arm: {
            seed: {metric: value for metric in metrics if (value := run.metric(metric)) is not None}
            for seed, run in of_seeds.items()
        }
        for arm, of_seeds in every.items()
    }
    names = [member.side for member in finalists(folder)]
    arms = folder.content.get("arms", [])
    each = (seed for seed in range(asked.most_seeds) if any(seed not in every.get(arm, {}) for arm in arms))
    whole = next(each, asked.most_seeds) if arms else 0
    declared = together(run.declared for of_seeds in every.values() for run in of_seeds.values())
    return Pairs(asked, declared, numbers, _made(folder, whole, is_over), names, folder.content.get("controls"))


def finalists(folder: AskFolder) -> list[Member]:
    """Those that are chosen, once plain training has been tried for as much compute."""
    if "members" not in folder.content:
        return []
    members = {member.name: member for member in from_json(folder.content["members"])}
    return [members[name] for name in folder.content["finalists"]]


def _made(folder: AskFolder, whole: int, is_over: bool) -> list[Look]:
    looks: list[Look] = []
    for look in (Look(**entry) for entry in folder.content.get("looks", [])):
        if look.num > whole:
            there = looks[-1].num if looks else FEWEST - 1
            return [*looks, Look(whole, look.share)] if is_over and whole > there else looks
        looks.append(look)
    return looks
