# SPDX-License-Identifier: MIT
"""What the benchmark has measured, and the few numbers that are made of it.

Results are a tree, question -> case -> contestant -> round -> list of Sample. There is one sample
in a round, but for questions in which a contestant runs many processes in its turn.
"""

import math
import statistics
import sys
from typing import NamedTuple

P99_SAMPLES_MIN = 100


class Sample(NamedTuple):
    """A process. Where the question is not about time, wall is KiB, or a number."""

    wall: float
    cpu: float


def parse_line(line):
    """A line's question, case, contestant, round and sample. A case may have commas."""
    question, *case, contestant, turn, wall, cpu = line.split(",")
    case = ",".join(case).strip('"')
    sample = Sample(float(wall), float(cpu))
    if not case or not all(math.isfinite(number) for number in sample):
        raise ValueError
    return question, case, contestant.removeprefix(f"{case}-"), int(turn), sample


def read(paths):
    """Reads files into one tree. A line that is none, as of a run that was cut short, is said."""
    results = {}
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                try:
                    question, case, contestant, turn, sample = parse_line(line.strip())
                except ValueError:
                    print(f"{path}:{number}: not a result, left out", file=sys.stderr)
                    continue
                contestants = results.setdefault(question, {}).setdefault(case, {})
                contestants.setdefault(contestant, {}).setdefault(turn, []).append(sample)
    return results


def flat(rounds):
    """All samples of a contestant's rounds."""
    return [sample for turn in rounds.values() for sample in turn]


def percentile(values, percent):
    """The nearest rank: a value that was measured. The 99th of less than 100 is the largest."""
    return sorted(values)[math.ceil(percent / 100 * len(values)) - 1]


def pairs(left, right):
    """The walls of two contestants in each round that has both."""
    for turn in left.keys() & right.keys():
        yield tuple(
            statistics.median(sample.wall for sample in rounds[turn]) for rounds in (left, right)
        )


def median_or_none(values):
    """The median, or None where nothing was measured."""
    values = list(values)
    return statistics.median(values) if values else None


def ratio(top, bottom):
    """The median over rounds of TOP / BOTTOM, each pair from the same round, or None."""
    return median_or_none(a / b for a, b in pairs(top, bottom) if b > 0)


def difference(left, right):
    """The median over rounds of LEFT - RIGHT, each pair from the same round, or None."""
    return median_or_none(a - b for a, b in pairs(left, right))


def show_judged(value, limit):
    """The value with two decimals, or as many as tell on which side of the limit it is."""
    for digits in range(2, 9):
        text = f"{value:.{digits}f}"
        shown = float(text)
        if (shown < limit, shown > limit) == (value < limit, value > limit):
            break
    return text
