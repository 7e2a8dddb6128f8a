#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""report.py RAW-DIR OUT-DIR: what the benchmark has measured, for people.

RAW-DIR has files *.csv as tests/bench/bench writes them, and perhaps machine.txt, a line for each
thing that is to be known of the machine. OUT-DIR gets for each question that was put QUESTION.csv,
its numbers as they were measured (microseconds; KiB for memory), and QUESTION.svg, a plot; and
results.md, all of it on one page and above it what is claimed of the hook. A question that was not
put is left out; a claim that was not measured says so.

A ratio is the median over rounds of a contestant's time divided by the floor's (by ours where the
floor did not run) in the same round.
"""

import csv
import pathlib
import subprocess
import sys
from typing import NamedTuple

import claims
import plot
import samples
from questions import QUESTIONS, ordered


class Row(NamedTuple):
    """A contestant in a case; n is how many processes it ran."""

    case: str
    contestant: str
    rounds: int
    n: int
    p50: float
    p99: float
    min: float
    cpu_p50: float
    ratio: float


CSV_COLUMNS = [name for name in Row._fields if name != "n"]


def base_of(contestants):
    """Whom the others are compared to, or None. Whole processes to whole processes."""
    bases = ("floor", "ours-attach", "ours")
    return next((name for name in bases if name in contestants), None)


def ratio_to_base(name, contestants):
    """A contestant's ratio to the base; an allocation alone is no process to be compared to one."""
    base = base_of(contestants)
    if base == "ours-attach" and name == "ours":
        return None
    return samples.ratio(contestants[name], contestants.get(base, {}))


def summarise_one(case, name, contestants):
    """A contestant's row."""
    rounds = contestants[name]
    processes = samples.flat(rounds)
    walls = [sample.wall for sample in processes]
    return Row(
        case=case,
        contestant=name,
        rounds=len(rounds),
        n=len(walls),
        p50=samples.percentile(walls, 50),
        p99=samples.percentile(walls, 99),
        min=min(walls),
        cpu_p50=samples.percentile([sample.cpu for sample in processes], 50),
        ratio=ratio_to_base(name, contestants),
    )


def summarise(cases):
    """The rows of a question."""
    return [
        summarise_one(case, name, contestants)
        for case, contestants in cases.items()
        for name in ordered(contestants)
    ]


def show_csv(row, column):
    """A cell of QUESTION.csv."""
    value = getattr(row, column)
    if value is None:
        return ""
    if column == "ratio":
        return f"{value:.4f}"
    return f"{value:.1f}" if isinstance(value, float) else value


def write_csv(path, rows):
    """Writes QUESTION.csv."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        writer.writerows([show_csv(row, column) for column in CSV_COLUMNS] for row in rows)


def table(heads, rows):
    """A table in Markdown. The first column is text, and so are those whose head ends in ':'."""
    marks = ["---" if i == 0 or head.endswith(":") else "---:" for i, head in enumerate(heads)]
    lines = [[head.rstrip(":") for head in heads], marks, *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def show_ratio(value):
    """A ratio; nothing where there is none."""
    if value is None:
        return ""
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


def ratio_head(cases):
    """The head of the column of ratios: whom all are divided by."""
    bases = {base_of(contestants) for contestants in cases.values()} - {None}
    return "/ " + " or ".join(sorted(bases)) if bases else "ratio"


def head_p99(rows):
    """The head of the column of 99th percentiles, which are not always that."""
    few = [row.n < samples.P99_SAMPLES_MIN for row in rows]
    return "max" if all(few) else "p99, or max" if any(few) else "p99"


def columns_of_times(question, cases, rows):
    """Head and cells of the columns of a question whose values are times or sizes."""
    unit = question.unit
    p99 = head_p99(rows)
    note = " (max)" if " or " in p99 else ""
    yield "case:", [row.case for row in rows] if question.cases or len(cases) > 1 else []
    yield "contestant:", [row.contestant for row in rows]
    yield "rounds", [row.rounds for row in rows]
    yield "processes", [row.n for row in rows] if any(row.n > row.rounds for row in rows) else []
    yield f"p50, {unit.name}", [unit.show(row.p50) for row in rows]
    yield f"{p99}, {unit.name}", [
        unit.show(row.p99) + (note if row.n < samples.P99_SAMPLES_MIN else "") for row in rows
    ]
    yield f"min, {unit.name}", [unit.show(row.min) for row in rows]
    if any(row.cpu_p50 > 0 for row in rows):
        yield f"CPU p50, {unit.name}", [unit.show(row.cpu_p50) for row in rows]
    yield ratio_head(cases), [show_ratio(row.ratio) for row in rows]


def table_of_times(question, cases, rows):
    """The table of a question whose values are times or sizes, without columns that are empty."""
    columns = [(head, cells) for head, cells in columns_of_times(question, cases, rows) if cells]
    return table([head for head, _ in columns], list(zip(*(cells for _, cells in columns))))


def table_of_rates(question, cases, rows):
    """The table of a question whose values are shown as rates: the longer the time the lower."""
    lines = []
    for row in rows:
        contestants = cases[row.case]
        base = contestants.get(base_of(contestants), {})
        rates = [question.unit.show(time) for time in (row.p50, row.p99, row.min)]
        ratio = show_ratio(samples.ratio(base, contestants[row.contestant]))
        lines.append([row.case, row.contestant, row.rounds, *rates, ratio])
    few = all(row.n < samples.P99_SAMPLES_MIN for row in rows)
    heads = ["per second, p50", "slowest" if few else "slowest but 1%", "fastest"]
    return table(["case:", "contestant:", "rounds", *heads, ratio_head(cases)], lines)


def section(name, cases, rows):
    """A question's part of results.md."""
    question = QUESTIONS[name]
    tabulate = table_of_rates if question.unit.per_second else table_of_times
    return (
        f"## {question.title}\n\n{question.about}\n\n![{question.title}]({name}.svg)\n\n"
        f"{tabulate(question, cases, rows)}\n"
    )


def table_of_claims(results):
    """What is claimed, the target, what was measured, and whether that is enough."""
    lines = [[claim.text, *claims.judge(claim, results)] for claim in claims.CLAIMS]
    return table(["claim", "target", "measured", "verdict:"], lines)


def machine(path):
    """What is known of the machine, as a list."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return "".join(f"- {line.strip()}\n" for line in lines if line.strip())


INTRODUCTION = """\
Contestants take turns, in another order each round. Ratios are pair by pair, a contestant's time
and the other's in the same round, and what is shown of them is the median. A 99th percentile takes
100 processes; of fewer, the largest value is shown in its place and called max.
"""


def report(results, raw, out):
    """Writes all of it."""
    text = ["# Results\n\n", table_of_claims(results), "\n"]
    for part in (machine(raw / "machine.txt"), INTRODUCTION):
        text.append(f"{part}\n" if part else "")
    for name, question in QUESTIONS.items():
        if name not in results:
            continue
        cases = results[name]
        rows = summarise(cases)
        write_csv(out / f"{name}.csv", rows)
        heights = [
            (case, [(row.contestant, row.p50) for row in rows if row.case == case])
            for case in cases
        ]
        plot.draw(out / f"{name}.svg", question, heights)
        text.append(section(name, cases, rows))
    (out / "results.md").write_text("".join(text).rstrip("\n") + "\n", encoding="utf-8")


def main():
    """Reads RAW-DIR and writes OUT-DIR."""
    if len(sys.argv) != 3:
        sys.exit(__doc__.splitlines()[0])
    raw, out = (pathlib.Path(name) for name in sys.argv[1:])
    try:
        out.mkdir(parents=True, exist_ok=True)
        if raw.samefile(out):
            sys.exit("report: OUT-DIR is RAW-DIR, whose files would be overwritten")
        results = samples.read(sorted(raw.glob("*.csv")))
        for name in results.keys() - QUESTIONS.keys():
            print(f"report: there is no question '{name}', left out", file=sys.stderr)
        if not results.keys() & QUESTIONS.keys():
            sys.exit(f"report: there are no results in {raw}")
        report(results, raw, out)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"report: {error}")


if __name__ == "__main__":
    main()
