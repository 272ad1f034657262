"""Claims as a page of Markdown."""

from sdrun.claims.declaration import EQUAL, METHOD, PLAIN, PRETRAIN, SILENT, TUNED
from sdrun.claims.verdicts import ARMS, Answer, Judged
from sdrun.comparison.rendering import confidence, mean_sd, numbers
from sdrun.comparison.statistics import LEVEL
from sdrun.comparison.tables import Table, markdown, number, p_value, titled
from sdrun.judges.metric import Better, lookup, shown
from sdrun.settings.words import printable, text

ARM_NAMES = {
    PRETRAIN: "pretraining",
    METHOD: "method",
    SILENT: "method, teacher's weight 0",
    PLAIN: "plain training",
    TUNED: "tuned baseline",
    EQUAL: "tuned baseline, equal compute",
}

QUESTIONS = {
    "alive": "alive?",
    "around_zero": "weight 0 like plain?",
    "helps": "helps?",
    "equal_compute": "at equal compute?",
    "beside": "beside",
}


def page(claims: list[Judged]) -> str:
    """All claims: an overview, and a section for each."""
    num = sum(len(claim.answers["alive"]) + 1 for claim in claims)
    minutes = sum(claim.minutes for claim in claims)
    parts = [
        "# Does it help?",
        "Made by `make claims`; not written by hand. Each claim has two verdicts. **Alive**: the method differs from "
        "the same command with the teacher's weight at zero. **Helps**: it is better than the *tuned baseline*: "
        "training without a teacher, chosen on the validation split among the lengths, views and label smoothings that "
        "the claim declares, and run on the same seeds. Only a claim that helps holds.",
        f"The verdicts rest on {num} comparisons, corrected for together (Bonferroni, level 0.05), with intervals of "
        f"{confidence(LEVEL / num)} by t; whatever else is shown has intervals of 95 % and decides nothing. "
        f"All runs together took {minutes:,.0f} CPU-minutes.",
        markdown(overview(claims)),
    ]
    parts += [section(claim) for claim in claims]
    return "\n\n".join(parts) + "\n"


def overview(claims: list[Judged]) -> Table:
    columns = ["claim", "holds", "alive", "helps", "over tuned", "interval", "p", "at equal compute"]
    table = Table("", columns, left=tuple(columns))
    for claim in claims:
        helps, equal = claim.answers["helps"][0], claim.answers["equal_compute"][0]
        words = [f"[{claim.name}](#{claim.name})", "**yes**" if claim.helps == "helps" else "failed"]
        p = p_value(helps.difference.adjusted) if helps.difference else ""
        table.rows.append([*words, claim.alive, claim.helps, *_numbers(helps)[:2], p, " ".join(_numbers(equal)[:2])])
    return table


def section(claim: Judged) -> str:
    """One claim: what is said, what was run, what came out."""
    declared, content = claim.claim, claim.folder.content
    lines = [
        f"## {claim.name}",
        f"*{printable(declared.statement)}* **{'Holds' if claim.helps == 'helps' else 'Failed'}.** "
        f"Teacher: {claim.alive}. Method: {claim.helps}.",
        setting(claim),
        markdown(arms(claim)),
        markdown(answers(claim)),
    ]
    if not all(answer.difference is None or _covers_zero(answer) for answer in claim.answers["around_zero"]):
        lines.append(
            "With the teacher's weight at zero the method is not plain training: "
            "part of what it gives is not the teacher's."
        )
    if claim.missing:
        missing = (printable(f"{path.name} {why}") for path, why in claim.missing)
        lines.append("Not finished, and left out: " + "; ".join(missing))
    if "chosen" in content:
        grid = content["grid"]
        metric = lookup(declared.choose_by, claim.declared)
        ranked = sorted(grid.items(), key=lambda item: item[1], reverse=metric.better is not Better.lower)
        scores = ", ".join(f"{printable(name)} {number(metric, score)}" for name, score in ranked)
        title = printable(titled(declared.choose_by, metric))
        lines.append(
            f"<details><summary>The grid of the baseline, {title} on seed {declared.tuning_seed}: "
            f"{printable(content['chosen'])} was chosen</summary>\n\n{scores}\n\n</details>"
        )
    return "\n\n".join(lines)


def setting(claim: Judged) -> str:
    """What was run, in a paragraph, with its command."""
    if PLAIN not in claim.runs:
        return "No plain training is finished."
    example = next(iter(claim.runs[PLAIN].values()))
    settings, model = example.settings, example.manifest.get("model")
    s = {key: text(value) for key, value in settings.items() if value}
    length = f"{s['optim.max_steps']} steps" if "optim.max_steps" in s else f"{s.get('optim.epochs')} epochs"
    data = [f"{s.get('dataset.train_size', 'all')} items of {s.get('dataset.name')}"]
    if "dataset.num_labels" in s:
        data.append(f"{s['dataset.num_labels']} labels")
    if isinstance(noise := settings.get("dataset.label_noise"), float) and noise:
        data.append(f"{100 * noise:.0f} % wrong labels")
    num_runs = sum(len(runs) for runs in claim.runs.values())
    return printable(
        f"`sdrun -m experiment=claim_{claim.name}`: {', '.join(data)}, model {model}, {length} of "
        f"{s.get('optim.batch_size')} for plain training, {len(claim.claim.seeds)} paired seeds, {num_runs} runs, "
        f"{claim.minutes:.0f} CPU-minutes. Method: `{' '.join(claim.claim.method)}`"
        + (f" from the network of `{' '.join(claim.claim.pretrain)}`" if claim.claim.pretrain else "")
        + (f"; without its teacher: `{' '.join(claim.claim.silent)}`" if claim.claim.silent else "")
        + "."
    )


def arms(claim: Judged) -> Table:
    """Mean and standard deviation over seeds, test set; compute over that of plain training."""
    runs = [run for seeds in claim.runs.values() for run in seeds.values()]
    metrics = {f"test/{metric.name}": metric for metric in shown(claim.declared)}
    metrics = {key: metric for key, metric in metrics.items() if any(run.metric(key) is not None for run in runs)}
    titles = [titled(key, metric) for key, metric in metrics.items()]
    table = Table("", ["runs", "n", *titles, "multiply-adds", "seconds"], left=("runs",))
    plain = claim.compute(PLAIN, "multiply_adds")
    for arm in ARMS:
        cells = claim.cells(arm, list(metrics))
        if not cells:
            continue
        means = [mean_sd(metric, cells[key]) if key in cells else "" for key, metric in metrics.items()]
        cost, seconds = claim.compute(arm, "multiply_adds"), claim.compute(arm, "seconds")
        more = [f"{cost / plain:.2f}" if cost and plain else "", f"{seconds:.0f}" if seconds else ""]
        table.rows.append([ARM_NAMES[arm], str(len(claim.runs[arm])), *means, *more])
    return table


def answers(claim: Judged) -> Table:
    """Every contrast: the paired difference; p where the verdicts rest on it."""
    columns = ["question", "difference of", "metric", "mean", "interval", "in sd", "p"]
    table = Table("", columns, left=tuple(columns[:3]))
    for kind, of_kind in claim.answers.items():
        for answer in of_kind:
            c = answer.contrast
            is_decisive = answer.difference in claim.decisive
            p = p_value(answer.difference.adjusted) if answer.difference and is_decisive else ""
            title = titled(c.metric, lookup(c.metric, claim.declared))
            table.rows.append([QUESTIONS[kind], f"{c.left} - {c.right}", title, *_numbers(answer), p])
    return table


def _numbers(answer: Answer) -> list[str]:
    return numbers(answer.difference) if answer.difference else ["missing", "", ""]


def _covers_zero(answer: Answer) -> bool:
    assert answer.difference
    return answer.difference.paired.low <= 0 <= answer.difference.paired.high
