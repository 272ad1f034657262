"""What to do after one run, which alone cannot tell."""

import shlex

from sdrun.comparison.runs import Run
from sdrun.comparison.stages import baselines
from sdrun.settings.words import parted, printable, roughly

SEEDS = "seed=0,1,2,3,4"
OWN = ("seed", "hydra.run.dir", "hardware.threads")
BASELINE = "supervised"


def next_step(run: Run, cores: int) -> list[str]:
    """Lines that say which command tells more, and how long it would take on so many ``cores``."""
    words = [word for word in run.manifest.get("overrides", []) if parted(word)[0] not in OWN]
    if run.title == BASELINE:
        return ["This is a baseline. What may help, and when:", "  sdrun methods"]
    num_runs = len(SEEDS.split(","))
    if not baselines(run):
        words = [f"method={BASELINE},{run.title}", *(word for word in words if parted(word)[0] != "method")]
        num_runs *= 2
    at_once = max(1, cores // max(1, run.manifest.get("hardware", {}).get("threads") or 1))
    seconds = run.summary.get("wall_seconds", 0.0) * num_runs / at_once
    told = f"One seed cannot tell whether it helps. Five tell more, in about {roughly(seconds)}:"
    return [told, printable(f"  {shlex.join(['sdrun', '-m', *words, SEEDS])}")]
