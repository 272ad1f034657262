"""Which group is held against which, and what cannot be compared."""

from sdrun.comparison.differences import cell
from sdrun.comparison.groups import STAGE, Group, differing, of_budget, of_method
from sdrun.comparison.stages import baselines, is_other
from sdrun.errors import InputError
from sdrun.judges.metric import Metric
from sdrun.settings.words import printable, text

SUPERVISED = "supervised"
DEFAULT_BASELINE = {"method": SUPERVISED}


def bases_of(groups: list[Group], baseline: dict[str, str] | None) -> list[Group]:
    """The groups that have the settings of the baseline. Raises InputError where it is asked for and none has."""
    bases = [group for group in groups if group.matches(baseline or DEFAULT_BASELINE)]
    if baseline and not bases:
        labels = "\n  ".join(group.label for group in groups)
        words = " ".join(f"{key}={value}" for key, value in baseline.items())
        raise InputError(f"--baseline {words}: no group has these settings; there are\n  {labels}")
    return bases


def own_bases(groups: list[Group], metric: Metric, primary: str) -> list[Group]:
    """Of runs at their stages: the best, by the primary metric, of what they hold themselves against."""
    own = [group for group in groups if group.settings.get(STAGE) in baselines(group.example)]
    means = [(group, value.mean) for group in own if (value := cell(group.values(primary)))]
    best = [group for group, mean in means if not any(metric.is_better(other - mean) for _, other in means)]
    stages = {group.settings[STAGE] for group in best[:1]}
    return [group for group in own if group.settings[STAGE] in stages]


def first_of_two(groups: list[Group]) -> list[Group]:
    """The first of two runs alone, where both are of the same model, data and budget."""
    are_two = len(groups) == 2 and all(len(group.runs) == 1 and not is_other(group.example) for group in groups)
    return groups[:1] if are_two and not of_budget(differing(*(group.settings for group in groups))) else []


def base_of(group: Group, bases: list[Group], across: list[str]) -> Group:
    """The baseline that has the group's model, data and budget. Raises InputError where there is none, or several."""
    keys = {id(base): _apart(group, base, across) for base in bases}
    fitting = [base for base in bases if not keys[id(base)]]
    of_its_own_runs = [base for base in fitting if differing(group.settings, base.settings) == [STAGE]]
    fitting = of_its_own_runs or fitting
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        labels = "\n  ".join(base.label for base in fitting)
        raise InputError(f"several groups could be the baseline; tell them apart by --baseline KEY=VALUE\n  {labels}")
    nearest = min(bases, key=lambda base: len(keys[id(base)]))
    differing_keys = [printable(key) for key in keys[id(nearest)]]
    differences = ", ".join(
        printable(f"{key} ({text(group.settings.get(key))} and {text(nearest.settings.get(key))})")
        for key in keys[id(nearest)]
    )
    raise InputError(
        f"not comparable: {group.label!r} and {nearest.label!r} differ in {differences}\n"
        "Leave one out, name another by --baseline, or if that is what you compare: "
        f"--across {' '.join(differing_keys)}"
    )


def _apart(group: Group, base: Group, across: list[str]) -> list[str]:
    """What keeps two groups from being compared: model, data or budget, where the method differs as well."""
    keys = differing(group.settings, base.settings)
    if not of_method(keys):
        return []
    return [key for key in of_budget(keys) if not any(key == name or key.startswith(f"{name}.") for name in across)]


def require_same_test(groups: list[Group]) -> None:
    """Raise InputError unless all runs were judged on the same test data."""
    first = groups[0].example
    for group in groups:
        for run in group.runs.values():
            if run.manifest["data"].get("test") != first.manifest["data"].get("test"):
                places = f"{run.path} and {first.path} have other test data"
                data = f"{run.manifest['dataset']} and {first.manifest['dataset']}"
                raise InputError(printable(f"not comparable: {places} ({data})"))


def require_same_splits(group: Group, base: Group) -> None:
    """Runs of one seed must have the same split, unless the data are what differs."""
    data_differ = any(key.startswith("dataset.") for key in of_budget(differing(group.settings, base.settings)))
    for seed in () if data_differ else sorted(group.runs.keys() & base.runs.keys()):
        one, other = group.runs[seed], base.runs[seed]
        if text(one.settings.get("dataset.seed")) != text(other.settings.get("dataset.seed")):
            continue
        parts = [
            part
            for part in ("train", "validation")
            if one.manifest["data"].get(part) != other.manifest["data"].get(part)
        ]
        if parts:
            places = printable(f"{one.path} and {other.path}")
            raise InputError(
                f"not comparable: {places} have other items in {' and '.join(parts)}, though their settings are the "
                "same; the files of the dataset changed between them"
            )
