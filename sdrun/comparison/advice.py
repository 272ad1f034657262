"""What to do after one run, which alone cannot tell."""

from sdrun.comparison.baselines import SUPERVISED
from sdrun.comparison.commands import FOLDER, SEED, command, words
from sdrun.comparison.runs import Run
from sdrun.comparison.stages import baselines
from sdrun.settings.words import roughly

SEEDS = range(5)
THREADS = "hardware.threads"


def next_step(run: Run, cores: int) -> list[str]:
    """Lines that say which command tells more, and how long it would take on so many ``cores``."""
    if run.title == SUPERVISED:
        return ["This is a baseline. What may help, and when:", "  sdrun methods"]
    overrides, num_runs = words(run, SEED, FOLDER, THREADS), len(SEEDS)
    if not baselines(run):
        overrides = [f"method={SUPERVISED},{run.title}", *words(run, SEED, FOLDER, THREADS, "method")]
        num_runs *= 2
    at_once = max(1, cores // max(1, run.manifest.get("hardware", {}).get("threads") or 1))
    seconds = run.summary.get("wall_seconds", 0.0) * num_runs / at_once
    told = f"One seed cannot tell whether it helps. Five tell more, in about {roughly(seconds)}:"
    return [told, f"  {command(overrides, SEEDS)}"]
