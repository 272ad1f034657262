"""Claims as a page of Markdown: the answers first, then what they rest on."""

from sdrun.claims.answers import Answer
from sdrun.claims.declaration import BASELINE, EQUAL, METHOD, PRETRAIN
from sdrun.claims.trials import num_tuning_runs, rungs
from sdrun.claims.verdicts import Judged
from sdrun.claims.words import QUESTIONS, answer_line, in_short, of_all, pays_from, sentences, titles
from sdrun.comparison.lagging import lag
from sdrun.comparison.rendering import mean_sd, numbers
from sdrun.comparison.statistics import LEVEL
from sdrun.comparison.tables import Table, markdown, number, titled
from sdrun.judges.metric import lookup, shown
from sdrun.settings.words import listed, printable, text

ROLES = {METHOD: "method", BASELINE: "tuned baseline", EQUAL: "baseline for as much compute"}

MOST_NAMED = 3
"""Runs that are not finished for one reason."""

INTRODUCTION = """
Made by `sdrun claims`; not written by hand. A claim has two sides, which are tuned alike: the same number of trials of
one grid, the method's own settings besides, chosen on validation of seeds that no answer rests on. What was chosen
runs on paired seeds, and more of them are added until the difference is shown, or shown to be less than what was
declared to matter. One metric decides. All intervals of a claim hold together, over its questions and over its looks at
the seeds, at 95 %.
""".strip().replace("\n", " ")


def page(claims: list[Judged], pictures: str | None) -> str:
    """All claims. ``pictures``: where theirs lie, None where there are none."""
    parts = ["# Does it help?", "\n".join(f"- {line}" for line in map(answer_line, claims))]
    if pictures:
        parts.append(f"![Differences on paired seeds, with their intervals]({pictures}/forest.svg)")
    parts += [markdown(overview(claims)), INTRODUCTION]
    if len(claims) > 1:
        parts.append(f"<sub>{of_all(claims)}</sub>")
    parts += [section(claim, pictures) for claim in claims]
    return "\n\n".join(parts) + "\n"


def overview(claims: list[Judged]) -> Table:
    columns = ["claim", *QUESTIONS.values(), "compute", "pays from", "seeds", "CPU-minutes"]
    table = Table("", columns, left=tuple(columns[:6]))
    for claim in claims:
        words = [in_short(claim.answers.get(name)) for name in QUESTIONS]
        price = f"{claim.price:.1f} times" if claim.price else ""
        seeds = f"{claim.num_seeds} of {claim.claim.most_seeds}"
        table.rows.append([claim.name, *words, price, pays_from(claim), seeds, f"{claim.minutes:.0f}"])
    return table


def section(claim: Judged, pictures: str | None) -> str:
    """One claim: what is said, what was run, what came out."""
    lines = [
        f"## {claim.name}",
        f"*{printable(claim.claim.statement)}*",
        " ".join(sentences(claim)),
        *([f"![The best of each side for a budget]({pictures}/{claim.name}.svg)"] if pictures and claim.ladder else []),
        setting(claim),
        markdown(answers(claim)),
        markdown(arms(claim)),
        *lags(claim),
        *missing(claim),
    ]
    if claim.members:
        lines.append(tuning(claim))
    return "\n\n".join(lines)


def setting(claim: Judged) -> str:
    """What was run, in a paragraph, with its command."""
    declared = claim.claim
    shortest = f"tuning/{BASELINE}_x{declared.lengths[0]:g}_"
    examples = [run for arm, runs in claim.runs.items() if arm.startswith(shortest) for run in runs.values()]
    if not examples:
        return "No trial of the baseline is finished."
    settings, model = examples[0].settings, examples[0].manifest.get("model")
    s = {key: text(value) for key, value in settings.items() if value}
    data = [f"{s.get('dataset.train_size', 'all')} items of {s.get('dataset.name')}"]
    if "dataset.num_labels" in s:
        data.append(f"{s['dataset.num_labels']} labels")
    if isinstance(noise := settings.get("dataset.label_noise"), float) and noise:
        data.append(f"{100 * noise:.0f} % wrong labels")
    data.append(f"{s.get('dataset.val_size')} for validation")
    length = f"{s['optim.max_steps']} steps" if "optim.max_steps" in s else f"{s.get('optim.epochs')} epochs"
    num_runs = sum(len(runs) for runs in claim.runs.values())
    of_trials = ", then ".join(
        f"{num} x{length:g}" for num, length in zip(rungs(declared), declared.lengths, strict=True)
    )
    parts = [
        f"`sdrun -m experiment=claim_{claim.name}`: {', '.join(data)}; model {model}; "
        f"x{declared.lengths[0]:g} is {length} of {s.get('optim.batch_size')}.",
        f"Each side was tuned by {num_tuning_runs(declared)} runs ({of_trials}) on seed "
        f"{', '.join(map(str, declared.tuning_seeds))}, by {declared.choose_by}.",
        f"All {num_runs} runs took {claim.minutes:.0f} CPU-minutes.",
    ]
    return printable(" ".join(parts))


def arms(claim: Judged) -> Table:
    """Mean and standard deviation over paired seeds; compute in trainings of the baseline at its first length."""
    runs = [run for seeds in claim.runs.values() for run in seeds.values()]
    metrics = {f"test/{metric.name}": metric for metric in shown(claim.declared)}
    metrics = {key: metric for key, metric in metrics.items() if any(run.metric(key) is not None for run in runs)}
    titles = [titled(key, metric) for key, metric in metrics.items()]
    spare = ("seconds", *[title for title in reversed(titles) if title != titled(claim.claim.metric, claim.metric)])
    table = Table("", ["runs", "n", *titles, "compute", "seconds"], left=("runs",), spare=spare)
    costs = {member.name: member.cost for member in claim.members}
    for arm, label in labels(claim).items():
        cells = claim.cells(arm, list(metrics))
        if not cells:
            continue
        means = [mean_sd(metric, cells[key]) if key in cells else "" for key, metric in metrics.items()]
        cost = costs.get(arm) or _mean(claim, arm, "multiply_adds")
        seconds = _mean(claim, arm, "seconds")
        more = [f"{cost / claim.unit:.1f}" if cost else "", f"{seconds:.0f}" if seconds else ""]
        table.rows.append([label, str(len(claim.paired_runs(arm))), *means, *more])
    return table


def labels(claim: Judged) -> dict[str, str]:
    """What the arms that run on paired seeds are called, by their folder."""
    names = {}
    for member in claim.members:
        roles = [role for key, role in ROLES.items() if claim.chosen.get(key) == member.name]
        names[member.name] = f"{member.side} x{member.length:.3g}" + (f": {', '.join(roles)}" if roles else "")
    names |= {arm: f"method, {' '.join(further)}" for arm, further in claim.claim.controls.items()}
    return {PRETRAIN: "pretraining", **names}


def answers(claim: Judged) -> Table:
    """Every contrast: the paired difference; a verdict where one was asked for."""
    columns = ["question", "difference of", "metric", "mean", "interval", "in sd", "seeds", "verdict"]
    table = Table("", columns, left=(*columns[:3], "verdict"), spare=("metric", "in sd", "difference of", "seeds"))
    for name, title in titles(claim).items():
        answer = claim.answers[name]
        table.rows.append([title, *_row(claim, answer), in_short(answer).partition(":")[0]])
    for contrast in claim.claim.beside:
        beside = Answer(contrast, claim.difference(contrast, LEVEL), None)
        table.rows.append(["to look at, 95 %", *_row(claim, beside), ""])
    return table


def _row(claim: Judged, answer: Answer) -> list[str]:
    c = answer.contrast
    sides = " - ".join(
        ":".join([claim.chosen.get(arm, arm), *rest]) for arm, *rest in (c.left.split(":"), c.right.split(":"))
    )
    title = titled(c.metric, lookup(c.metric, claim.declared))
    if answer.difference is None:
        return [sides, title, "missing", "", "", ""]
    return [sides, title, *numbers(answer.difference), str(answer.difference.paired.n)]


def lags(claim: Judged) -> list[str]:
    """What is said of arms whose average, which is judged, is far from the student."""
    lines = []
    for arm, label in labels(claim).items():
        apart = lag(claim.paired_runs(arm), claim.claim.metric, claim.metric)
        if apart and apart.is_far:
            lines.append(printable(f"{label}: {apart}."))
    return lines


def missing(claim: Judged) -> list[str]:
    """What is said of runs that are not finished, if there are any."""
    by_reason: dict[str, list[str]] = {}
    for path, why in claim.missing:
        by_reason.setdefault(why, []).append(f"{path.parent.name}/{path.name}")
    parts = [f"{listed(names, MOST_NAMED)} ({why})" for why, names in by_reason.items()]
    return [printable(f"Left out, as not finished: {'; '.join(parts)}. The same command goes on.")] if parts else []


def tuning(claim: Judged) -> str:
    """What was tried, and what came out, unfolded at a click."""
    metric = lookup(claim.claim.choose_by, claim.declared)
    title = printable(titled(claim.claim.choose_by, metric))
    parts = [f"<details><summary>What was tried, by {title}</summary>"]
    for member in claim.members:
        if not member.tried:
            parts.append(f"**{printable(member.name)}**: {printable(' '.join(member.overrides))}")
            continue
        ranked = sorted(member.tried.items(), key=lambda item: item[1], reverse=metric.is_better(1) is not False)
        table = Table(f"{member.name}", [title, "settings"], left=("settings",))
        table.rows = [[number(metric, score), overrides] for overrides, score in ranked]
        parts.append(markdown(table))
    return "\n\n".join([*parts, "</details>"])


def _mean(claim: Judged, arm: str, key: str) -> float | None:
    amounts = [run.summary.get("compute", {}).get(key) for run in claim.paired_runs(arm).values()]
    numbers = [amount for amount in amounts if amount]
    return sum(numbers) / len(numbers) if numbers else None
