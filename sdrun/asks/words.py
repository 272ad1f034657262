"""What is said of an ask before it starts, and at its end, in plain English."""

from sdrun.asks.deciding import helps
from sdrun.asks.declaration import Asked
from sdrun.asks.goals import Goal
from sdrun.asks.pairs import EQUAL, Pairs
from sdrun.asks.plan import Plan, detectable, enough, spread, stages
from sdrun.asks.sight import Sight
from sdrun.claims.answers import Answer
from sdrun.claims.members import Member
from sdrun.comparison.sentences import sentence
from sdrun.settings.words import counted, roughly

BEST_PLAIN = "the best plain training that was found"

WHY_NOT = {
    "silent": "with its teacher's weight at zero",
    "uninformed": "with a teacher that knows nothing of the sample",
    EQUAL: "plain training for as much compute",
}
MOST_NAMED = 6


def told(asked: Asked, plan: Plan, seen: Sight, left: float, at_once: int) -> list[str]:
    """The plan, and what the budget will be able to tell."""
    steps = [
        f"{counted(trials, 'trial')} each of plain training, {', '.join(plan.candidates)}"
        if not number
        else f"the better {counted(num, 'method')} and plain training, {counted(trials, 'trial')} each"
        for number, (num, trials, _) in enumerate(
            stages(len(plan.candidates), plan.trials, plan.lengths, asked.halving)
        )
    ]
    lengths = [f" {length:g} times as long" if length != 1 else "" for length in plan.lengths]
    tuning = "; ".join(step + length for step, length in zip(steps, lengths, strict=True))
    times = ", ".join(f"{name} {roughly(seconds)}" for name, seconds in plan.seconds.items())
    lines = [
        f"tuning on {counted(len(plan.tuning_seeds), 'seed')}: {tuning}; about {roughly(plan.tuning)}",
        f"a training takes: {times}; {counted(at_once, 'job')} at once",
        f"then up to {plan.num_seeds} paired seeds of the best, and its controls; about {roughly(plan.pair)} a seed",
    ]
    if plan.left_out:
        lines.append(f"left out: {'; '.join(f'{name} ({why})' for name, why in plan.left_out.items())}")
    return [*lines, _resolution(asked, plan, seen, left)]


def _resolution(asked: Asked, plan: Plan, seen: Sight, left: float) -> str:
    """What differences this will tell, to all experience, and how long smaller ones would take."""
    sd, level = spread(asked, seen.num_labelled, seen.num_test), helps(1)
    scale, unit = _unit(asked)
    tells = detectable(plan.num_seeds, sd, level)
    text = f"{roughly(left)} tell differences of about {scale * tells:.2g} {unit}"
    margin = asked.yardstick.margin
    if tells > margin and (num := enough(margin, sd, level)):
        text += f"; for {scale * margin:g} it takes about {roughly(plan.tuning + num * plan.pair)}"
    return text


def _unit(asked: Asked) -> tuple[float, str]:
    return (1.0, "nats") if asked.goal is Goal.calibration else (100.0, "points")


def answer(state: Pairs, members: dict[str, Member], plain: Member, plan: Plan, granted: float) -> str:
    """One sentence, with its price."""
    foremost = state.foremost
    own, helped = next(m for m in members.values() if m.side == foremost), state.helps[foremost]
    assert helped.difference
    if state.winner:
        return "Yes: " + _gained(state, own, plain, helped)
    more, num_methods = _better_plain(state), len(plan.candidates)
    if not state.open:
        several = f"none of {counted(num_methods, 'method')} helps: " if num_methods > 1 else ""
        what = f"{foremost}, the best of them in tuning," if num_methods > 1 else foremost
        clause = sentence(what, BEST_PLAIN, helped.difference, margin=helped.margin, plans=False)
        return f"No: {several}{clause}{more}."
    clause = sentence(foremost, BEST_PLAIN, helped.difference, margin=helped.margin, plans=False)
    return f"Not decided within {roughly(granted)}: {clause}; {_needs(helped, plan.pair)}{more}."


def _gained(state: Pairs, own: Member, plain: Member, helped: Answer) -> str:
    assert helped.difference
    text = sentence(own.side, BEST_PLAIN, helped.difference, margin=helped.margin, plans=False)
    beside = state.further(own.side).get("beside")
    if beside and beside.is_better:
        text += ", and better calibrated" if "nll" in beside.contrast.metric else ""
    price = own.cost / plain.cost
    return f"{text}, for {price:.1f} times the training compute and the same cost to serve{_better_plain(state)}."


def _better_plain(state: Pairs) -> str:
    """What tuning has made of plain training, where that is shown."""
    improved = state.improved
    if not (improved and improved.is_better and improved.difference):
        return ""
    scale, unit = _unit(state.asked)
    mean = scale * abs(improved.difference.paired.mean)
    return f"; that plain training is itself {mean:.2g} {unit} better than what you have now"


def _needs(helped: Answer, pair: float) -> str:
    assert helped.difference
    needed = helped.difference.needed
    if needed is None:
        return "a difference like this would take more than 1,000 seeds to tell"
    return f"about {roughly(pair * (needed - helped.difference.paired.n))} more for a difference like this"


def controls(state: Pairs) -> list[str]:
    """What the controls of the winner say."""
    if not state.winner:
        return []
    lines = []
    for arm, found in state.further(state.winner).items():
        if found.difference is None or arm == "beside":
            continue
        against = WHY_NOT[arm if arm == EQUAL else arm.rpartition("_")[2]]
        lines.append(sentence("It", against, found.difference, margin=found.margin, plans=False) + ".")
    return lines
