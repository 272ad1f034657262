"""A sweep over all combinations of values, as the command line of -m gives them."""

from collections.abc import Sequence
from pathlib import Path

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf, open_dict

from sdrun.compositions import Compositions
from sdrun.errors import require
from sdrun.reach import reaching
from sdrun.settings.words import counted, printable
from sdrun.storage.sweeps import SweepFolder, is_place_of_job
from sdrun.sweeps import answer
from sdrun.sweeps.launch import SUBDIR
from sdrun.sweeps.making import Making
from sdrun.sweeps.naming import names

NUMBER = "${hydra.job.num}"
"""The name of a job's folder, where nobody asked for another."""


def sweep(
    context: HydraContext,
    config: DictConfig,
    launcher: Launcher,
    words: Sequence[str],
    resumes: bool,
    at_most: int | None,
) -> None:
    """Make the runs of each combination, and of one that ``resumes`` those that it had before. Raises as ``make``."""
    loader = context.config_loader
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(list(words))
    lines, _ = reaching(BasicSweeper.split_arguments(parsed, None)[0], Compositions(config, loader))
    there = SweepFolder.open(Path(config.hydra.sweep.dir)).jobs if resumes else {}
    earlier = {name: job.overrides for name, job in there.items()}
    recognised = {frozenset(line) for line in earlier.values()}
    new = [list(line) for line in dict.fromkeys(map(tuple, lines)) if frozenset(line) not in recognised]
    jobs = earlier | dict(zip(_names(config, loader, [*earlier.values()], new), new, strict=True))
    require(len(jobs) == len(earlier) + len(new), SUBDIR, "gives two jobs the same folder; leave it out")
    making = Making(context, config, launcher, is_new=not resumes)
    making.make(jobs, at_most)
    if not (making.num_launched or making.is_dry):
        print(f"{printable(str(making.folder.path))} is completed: {counted(len(jobs), 'job')}; there is nothing to do")
    if not making.is_dry:
        answer.tell(making.folder.path)


def _names(
    config: DictConfig, loader: ConfigLoader, earlier: Sequence[list[str]], new: Sequence[list[str]]
) -> list[str]:
    """Folders of new jobs, as ``hydra.sweep.subdir`` says where somebody has set it.

    Raises InputError where that is no folder of the sweep.
    """
    if OmegaConf.to_container(config.hydra.sweep, resolve=False)["subdir"] == NUMBER:  # type: ignore[index, call-overload]
        return names(earlier, new)
    places = []
    for number, line in enumerate(new, len(earlier)):
        job = loader.load_sweep_config(config, line)
        with open_dict(job):
            job.hydra.job.num = number
        name = str(job.hydra.sweep.subdir)
        require(
            is_place_of_job(Path(config.hydra.sweep.dir), name),
            SUBDIR,
            f"gives {name}, which is no folder of the sweep",
        )
        places.append(name)
    return places
