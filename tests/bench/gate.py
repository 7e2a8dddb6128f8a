#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""gate.py RAW-CSV...: is an attach still near the floor?

Prints TAP, for ours and for ours-config: the system calls and the page faults beyond those of an
empty program, which come to the same on each machine, and so have narrow limits. And the time / the
floor's, the median over rounds. How much slower a page fault or a process's start is on one machine
than on another, and how that compares with the time for a link, has been seen to move that by a
fifth with the same program: so its limit is wide, for what waits, or does much more in one call.
Where a process starts so fast that this hides less, what counts is how much more than an empty
program both take.
"""

import sys
from typing import NamedTuple

import samples


class Limits(NamedTuple):
    """At most what. Measured were 148 and 154, 58 and 62, 1.37 to 1.74, 2.6 to 3.7."""

    calls: int
    faults: int
    ratio: float
    beyond: float


LIMITS = (
    ("ours", "attach", Limits(148, 75, 2.0, 4.5)),
    ("ours-config", "attach that reads config.json", Limits(154, 78, 2.1, 4.7)),
)


def check_work(results, case, contestant, limit):
    """Is it good, and a line that says so: more system calls or faults than an empty program."""
    contestants = results.get("work", {}).get(case, {})
    more = samples.difference(contestants.get(contestant, {}), contestants.get("empty", {}))
    if more is None:
        return False, f"{case} were not counted"
    return more <= limit, f"{case} beyond an empty program are {more:g}, at most {limit}"


def check_time(results, contestant, limits):
    """Is it good, and a line that says so: its time. What was not measured is not good."""
    contestants = results.get("attach", {}).get("1", {})
    ours, floor, empty = (contestants.get(key, {}) for key in (contestant, "floor", "empty"))
    above = samples.difference(floor, empty)
    ours_above = samples.difference(ours, empty)
    ratio = samples.ratio(ours, floor)
    if ratio is None or ours_above is None or above is None or above <= 0:
        return False, "time / floor was not measured"
    beyond = ours_above / above
    return (
        ratio <= limits.ratio or beyond <= limits.beyond,
        f"time / floor is {ratio:.2f}, at most {limits.ratio:g}; "
        f"beyond an empty program {beyond:.2f}, at most {limits.beyond:g}",
    )


def main():
    """Judges what the files have."""
    if len(sys.argv) < 2:
        sys.exit(__doc__.splitlines()[0])
    try:
        results = samples.read(sys.argv[1:])
    except OSError as error:
        sys.exit(f"gate: {error}")
    tests = [
        (name, *check)
        for contestant, name, limits in LIMITS
        for check in (
            check_work(results, "calls", contestant, limits.calls),
            check_work(results, "faults", contestant, limits.faults),
            check_time(results, contestant, limits),
        )
    ]
    print(f"1..{len(tests)}")
    for number, (name, good, line) in enumerate(tests, 1):
        print(f"{'ok' if good else 'not ok'} {number} - {name}: {line}")
    sys.exit(0 if all(good for _, good, _ in tests) else 1)


if __name__ == "__main__":
    main()
