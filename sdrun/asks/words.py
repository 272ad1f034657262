"""What is said of an ask before it starts, and at its end, in plain English."""

from collections import defaultdict

from sdrun.asks.deciding import FIRST, helps
from sdrun.asks.declaration import Asked
from sdrun.asks.folder import AskFolder
from sdrun.asks.goals import Goal
from sdrun.asks.pairs import Pairs
from sdrun.asks.plan import Plan, detectable, enough, spread, stages
from sdrun.asks.reading import finalists
from sdrun.asks.sight import Sight
from sdrun.claims.answers import Answer
from sdrun.claims.members import TOLERANCE, Member
from sdrun.comparison.sentences import sentence
from sdrun.comparison.statistics import seeds_needed
from sdrun.settings.words import counted, roughly

BEST_PLAIN = "the plain training that tuning chose"
AS_MUCH = "plain training for as much compute"
CONTROLS = {
    "silent": "itself with its teacher's weight at zero",
    "uninformed": "itself with a teacher that knows nothing of the sample",
}


def plan_lines(asked: Asked, plan: Plan, seen: Sight) -> list[str]:
    """The plan, and what the budget will be able to tell."""
    rungs = []
    for length, (num, trials, _) in zip(
        plan.lengths, stages(len(plan.candidates), plan.trials, plan.lengths, asked.halving), strict=True
    ):
        who = ", ".join(plan.candidates) if num == len(plan.candidates) else f"the better {counted(num, 'method')}"
        as_long = f" {length:g} times as long" if length != 1 else ""
        rungs.append(f"{counted(trials, 'trial')} each of plain training and {who}{as_long}")
    times = ", ".join(f"{name} {_brief(plan.seconds[name])}" for name in plan.seconds if name not in plan.left_out)
    seeds = f"on seed {' and '.join(map(str, plan.tuning_seeds))}, by {asked.yardstick.choose_by}"
    lines = [
        f"tunes {seeds}: {', then '.join(rungs)}; about {roughly(plan.tuning)}",
        f"then runs the best of both on up to {plan.num_seeds} paired seeds, about {_brief(plan.pair)} each, and "
        "controls of what helps",
        f"a training takes: {times}; {counted(seen.at_once, 'job')} at once",
    ]
    reasons = defaultdict[str, list[str]](list)
    for name, why in plan.left_out.items():
        reasons[why].append(name)
    left_out = [f"{', '.join(names)} ({why})" for why, names in reasons.items()]
    return [*lines, *([f"leaves out {'; '.join(left_out)}"] if left_out else []), _resolution(asked, plan, seen)]


def _brief(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 57 else roughly(seconds)


def _resolution(asked: Asked, plan: Plan, seen: Sight) -> str:
    """What differences this will tell, to all experience, and how long smaller ones would take."""
    sd, level = spread(asked, seen.num_labelled, seen.num_test), helps(1)
    scale, unit = _unit(asked)
    tells, margin = detectable(plan.num_seeds, sd, level), asked.yardstick.margin
    text = f"{roughly(plan.left)} tell differences of about {scale * tells:.2g} {unit}"
    if tells <= margin:
        return text
    num = enough(margin, sd, level)
    if num is None or num > asked.most_seeds:
        return f"{text}; {scale * margin:g} would take more than {asked.most_seeds} seeds"
    return f"{text}; {scale * margin:g} would take about {roughly(plan.tuning + plan.controls + num * plan.pair)}"


def _unit(asked: Asked) -> tuple[float, str]:
    return (1.0, "nats") if asked.goal is Goal.calibration else (100.0, "points")


def answer(state: Pairs, folder: AskFolder, plain: Member) -> str:
    """One sentence, with its price."""
    plan, improved = Plan(**folder.content["plan"]), _better_plain(state)
    num = len(plan.candidates)
    if state.winner:
        (own,) = [member for member in finalists(folder) if member.side == state.winner]
        return f"{_won(state, own, plain)}{improved}."
    if state.open:
        foremost = max(state.open, key=state.gain)
        helped = state.helps[foremost]
        clause, num_seeds = _against(foremost, BEST_PLAIN, helped), state.looks[-1].num
        if num_seeds >= state.asked.most_seeds:
            return f"Not decided with {counted(num_seeds, 'seed')}, the most that were asked for: {clause}{improved}."
        granted = roughly(sum(folder.content["grants"]))
        return f"Not decided within {granted}: {clause}{_needed(state, helped, plan.pair)}{improved}."
    first, *others = state.finalists
    best = f"{first}, of {num} methods the best in tuning," if num > 1 else first
    clauses = [_against(best, BEST_PLAIN, state.helps[first])]
    clauses += [_against(other, "it", state.helps[other]) for other in others]
    return f"No: {', and '.join(clauses)}{improved}."


def _won(state: Pairs, own: Member, plain: Member) -> str:
    """Of a finalist that is better than the plain training that was chosen."""
    clause, at_equal = _against(own.side, BEST_PLAIN, state.helps[own.side]), state.equal(own.side)
    beside = state.further(own.side).get("beside")
    price = f", for {own.cost / plain.cost:.1f} times the training compute and the same cost to serve"
    if at_equal and not at_equal.is_decided:
        return f"Yes, but not at equal compute as far as is known: {clause}{price}; {_against('it', AS_MUCH, at_equal)}"
    if at_equal is None and own.cost > TOLERANCE * plain.cost:
        return f"Yes, but not at equal compute as far as is known: {clause}{price}; {AS_MUCH} failed"
    if at_equal and not at_equal.is_better:
        return f"No: {_against(own.side, AS_MUCH, at_equal)}; {_against('it', BEST_PLAIN, state.helps[own.side])}"
    calibrated = ", and better calibrated" if beside and beside.is_better and "nll" in beside.contrast.metric else ""
    return f"Yes: {clause}{calibrated}{price}"


def _against(own: str, base: str, reply: Answer) -> str:
    assert reply.difference
    return sentence(own, base, reply.difference, margin=reply.margin, plans=False)


def _better_plain(state: Pairs) -> str:
    """What tuning has made of plain training, where that is shown."""
    improved = state.improved
    if not (improved and improved.is_better and improved.difference):
        return ""
    scale, unit = _unit(state.asked)
    mean = scale * abs(improved.difference.paired.mean)
    return f"; that plain training is itself {mean:.2g} {unit} better than what you have now"


def _needed(state: Pairs, helped: Answer, pair: float) -> str:
    """How much more time would tell, by the level that one more budget has for it; nothing where no time would."""
    assert helped.difference
    paired = helped.difference.paired
    level = helps(len(state.finalists)) * FIRST * (1 - sum(look.share for look in state.looks))
    needed = seeds_needed(paired, level)
    if paired.sd == 0:
        return ""
    if needed is None or needed > state.asked.most_seeds:
        return f"; {state.asked.most_seeds} seeds, the most there may be, would hardly tell one like this"
    return f"; about {roughly(pair * (needed - paired.n))} more would tell one like this"


def controls(state: Pairs) -> list[str]:
    """What the controls of the winner say."""
    if not state.winner:
        return []
    at_equal, further = state.equal(state.winner), state.further(state.winner)
    lines = [_against("It", AS_MUCH, at_equal)] if at_equal and at_equal.is_better else []
    for arm, reply in further.items():
        if reply.difference and (control := CONTROLS.get(arm.rpartition("_")[2])):
            lines.append(_against("It", control, reply))
    return [f"{line}." for line in lines]
