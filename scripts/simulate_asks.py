"""How often an ask is wrong, and what it finds in how many seeds: whole asks simulated, selection and looks together.

    python scripts/simulate_asks.py [--asks 2000] [--methods 5] [--picture docs/pictures/ask_power.svg]

Each of several methods differs from plain training by an effect. All are tuned on validation, whose noise is as large
as the spread of paired seeds; the best, or the best two, run on paired seeds in looks until it is decided or the budget
is spent, which may then be added to. Then come the controls. Effects are in standard deviations of paired differences.
"""

import argparse
from pathlib import Path

import numpy as np

from sdrun.asks.deciding import Look, further
from sdrun.asks.declaration import PLAIN, Asked
from sdrun.asks.goals import YARDSTICKS, Goal
from sdrun.asks.pairs import NOW, Pairs, equal_arm
from sdrun.judges.metric import Better, Metric

ACCURACY = Metric("accuracy", Better.higher, "", "accuracy")
NLL = Metric("nll_calibrated", Better.lower, "", "NLL")
FIRST = 5
"""Seeds of the first look."""

SPREAD = 10 * YARDSTICKS[Goal.accuracy].margin
"""Of paired differences: so large that a null is seldom found too small to matter."""


def simulated(
    rng: np.random.Generator,
    effects: list[float],
    budgets: list[int],
    num_finalists: int = 1,
    equal: float = 0.0,
    control: float = 0.0,
) -> Pairs:
    """An ask with so many paired seeds in each of ``budgets``.

    ``effects``: of each method over plain training; ``equal`` and ``control``: of plain training for as much compute,
    and of a winner's controls, over plain training.
    """
    scores = np.asarray(effects) + rng.normal(size=len(effects))
    names = [f"method_{number}" for number in np.argsort(-scores)[:num_finalists]]
    means = {PLAIN: 0.0, NOW: 0.0, **{equal_arm(name): equal for name in names}}
    means |= {name: effects[int(name[7:])] for name in names}
    most = sum(budgets)
    asked = Asked(Goal.accuracy, None, FIRST, most, [1000], 1, 3, [1.0], None, {}, {}, {})
    values = {arm: SPREAD * (mean + rng.normal(size=most) / np.sqrt(2)) for arm, mean in means.items()}
    values |= {f"{name}_silent": SPREAD * (control + rng.normal(size=most) / np.sqrt(2)) for name in names}
    numbers = {
        arm: {seed: {"test/accuracy": value, "test/nll_calibrated": rng.normal()} for seed, value in enumerate(column)}
        for arm, column in values.items()
    }
    state = Pairs(asked, {"accuracy": ACCURACY, "nll_calibrated": NLL}, numbers, [], names)
    for end in np.cumsum(budgets):
        for look in further(state.looks, FIRST, int(end)):
            if state.is_decided:
                break
            state.looks.append(Look(look.num, look.share))
    if state.winner:
        state.controls = {f"{state.winner}_silent": state.looks[-1].num}
    return state


def statements(state: Pairs) -> list[str]:
    """What is said to be different, by arms."""
    shown = [f"{name} {reply.difference.outcome.value}" for name, reply in state.helps.items() if reply.is_different]
    if state.improved and state.improved.is_different:
        shown.append("plain better or worse than now")
    if state.winner:
        at_equal = state.equal(state.winner)
        shown += ["at equal compute"] if at_equal and at_equal.is_different else []
        shown += [arm for arm, reply in state.further(state.winner).items() if reply.is_different]
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--asks", type=int, default=2000)
    parser.add_argument("--methods", type=int, default=5)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    rng, nothing = np.random.default_rng(0), [0.0] * options.methods
    print(f"{options.asks:,} asks of {options.methods} methods, none of which does anything: something is said of\n")
    for budgets, num_finalists in (([5], 1), ([13], 1), ([20], 2), ([5, 13], 1), ([8, 20, 22], 2)):
        false = np.mean(
            [bool(statements(simulated(rng, nothing, budgets, num_finalists))) for _ in range(options.asks)]
        )
        print(f"{' + '.join(map(str, budgets))} seeds, {num_finalists} in the final: {100 * false:.2f} %")
    ended = [simulated(rng, [2.0, *nothing[1:]], [8, 13], control=2.0) for _ in range(options.asks)]
    alive = np.mean([any(arm.endswith("_silent") for arm in statements(state)) for state in ended])
    print(f"\nof a method that helps by 2 sd, whose teacher does nothing, it is said to be alive: {100 * alive:.2f} %")
    print("\n| seeds in the budget | effect, sd | yes | seeds it took |\n|---:|---:|---:|---:|")
    power: dict[float, list[float]] = {}
    seeds = (5, 8, 13, 20, 35, 50)
    for effect in (0.5, 1.0, 2.0, 3.0):
        for num in seeds:
            ended = [simulated(rng, [effect, *nothing[1:]], [num]) for _ in range(options.asks // 4)]
            power.setdefault(effect, []).append(np.mean([bool(state.winner) for state in ended]))
            took = np.mean([state.looks[-1].num for state in ended])
            print(f"| {num} | {effect:g} | {100 * power[effect][-1]:.0f} % | {took:.1f} |")
    if options.picture:
        from sdrun.comparison import charts

        lines = {
            f"one of {options.methods} methods helps by {effect:g} sd": (np.array(seeds), 100 * np.array([values]))
            for effect, values in power.items()
        }
        drawn = charts.curves(lines, "paired seeds in the budget", "asks that say yes, %", marker="o", is_log=True)
        options.picture.write_text(drawn.replace("currentColor", "#808080"))


if __name__ == "__main__":
    main()
