#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""gate.py RAW-CSV: is an attach still near the floor?

Prints TAP, for ours and for ours-config: the median over rounds of its time / the floor's. On a
machine where a process starts so fast that this hides less, what counts is how much more than an
empty program both take.
"""

import sys

import samples

# Contestant, name, and at most what: / floor, and (- empty) / (floor - empty). Measured were 1.37
# and 2.6, 1.40 and 2.8 (make bench-quick).
TESTS = (
    ("ours", "attach", 1.5, 3.0),
    ("ours-config", "attach that reads config.json", 1.6, 3.2),
)


def check(number, name, ratio, limit, beyond, limit_beyond):
    """Prints one line of TAP. What was not measured has not passed."""
    if ratio is None or beyond is None:
        print(f"not ok {number} - {name} / floor was not measured")
        return False
    good = ratio <= limit or beyond <= limit_beyond
    print(
        f"{'ok' if good else 'not ok'} {number} - {name} / floor is {ratio:.2f}, at most {limit:g}; "
        f"beyond an empty program {beyond:.2f}, at most {limit_beyond:g}"
    )
    return good


def measured(contestants, name):
    """A contestant's ratio to the floor, and the same of what is beyond an empty program."""
    ours, floor, empty = (contestants.get(key, {}) for key in (name, "floor", "empty"))
    above = samples.difference(floor, empty)
    ours_above = samples.difference(ours, empty)
    beyond = ours_above / above if ours_above is not None and above and above > 0 else None
    return samples.ratio(ours, floor), beyond


def main():
    """Judges the one question and case that the file has."""
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    try:
        results = samples.read([sys.argv[1]])
    except OSError as error:
        sys.exit(f"gate: {error}")
    cases = [case for question in results.values() for case in question.values()]
    if len(cases) > 1:
        sys.exit(f"gate: {sys.argv[1]} has more than one question or case")
    contestants = cases[0] if cases else {}
    print(f"1..{len(TESTS)}")
    passed = []
    for number, (contestant, name, limit, limit_beyond) in enumerate(TESTS, 1):
        ratio, beyond = measured(contestants, contestant)
        passed.append(check(number, name, ratio, limit, beyond, limit_beyond))
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
