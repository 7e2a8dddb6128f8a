#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""gate.py RAW-CSV LIMIT LIMIT-CONFIG: is an attach still near the floor?

Prints TAP: the median over rounds of ours / floor, at most LIMIT, and of ours-config / floor, at
most LIMIT-CONFIG.
"""

import sys

import samples

TESTS = (("ours", "attach"), ("ours-config", "attach that reads config.json"))


def check(number, name, ratio, limit):
    """Prints one line of TAP. What was not measured has not passed."""
    if ratio is None:
        print(f"not ok {number} - {name} / floor was not measured")
        return False
    good = ratio <= limit
    shown = samples.show_judged(ratio, limit)
    print(f"{'ok' if good else 'not ok'} {number} - {name} / floor is {shown}, at most {limit:g}")
    return good


def measured(contestants, name):
    """A contestant's ratio to the floor, or None."""
    return samples.ratio(contestants.get(name, {}), contestants.get("floor", {}))


def main():
    """Judges the one question and case that the file has."""
    if len(sys.argv) != 4:
        sys.exit(__doc__.splitlines()[0])
    try:
        limits = [float(word) for word in sys.argv[2:]]
        results = samples.read([sys.argv[1]])
    except (ValueError, OSError) as error:
        sys.exit(f"gate: {error}")
    cases = [case for question in results.values() for case in question.values()]
    if len(cases) > 1:
        sys.exit(f"gate: {sys.argv[1]} has more than one question or case")
    contestants = cases[0] if cases else {}
    print(f"1..{len(TESTS)}")
    passed = [
        check(number, name, measured(contestants, contestant), limits[number - 1])
        for number, (contestant, name) in enumerate(TESTS, 1)
    ]
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
