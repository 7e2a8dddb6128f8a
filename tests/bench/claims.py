# SPDX-License-Identifier: MIT
"""What is claimed of the hook, and whether the measurements bear it out."""

from typing import Callable, NamedTuple, Optional

import samples


class Claim(NamedTuple):
    """A claim: measure(results) gives the value, or None where it was not measured. Without a
    limit it is only said.
    """

    text: str
    at_most: bool
    limit: Optional[float]
    measure: Callable


def contestant(results, question, case, name):
    """A contestant's rounds, none where there are none."""
    return results.get(question, {}).get(case, {}).get(name, {})


def ratio_of(question, case, top, bottom):
    """Measures TOP / BOTTOM."""
    return lambda results: samples.ratio(
        contestant(results, question, case, top), contestant(results, question, case, bottom)
    )


def tail(samples_of_turn):
    """The 99th percentile / the median of the processes of one turn."""
    walls = [sample.wall for sample in samples_of_turn]
    median = samples.percentile(walls, 50)
    return samples.percentile(walls, 99) / median if median > 0 else None


def tails(rounds):
    """The median over turns of the 99th percentile / the median, or None."""
    values = [tail(turn) for turn in rounds.values()]
    return samples.median_or_none(value for value in values if value is not None)


def tail_in_parallel(results):
    """Of the latency of ours, 64 at once."""
    return tails(contestant(results, "parallel", "64", "ours"))


def tail_of_allocation(results):
    """Of the allocation of ours, 64 at once."""
    return tails(contestant(results, "allocation", "64 at once", "ours"))


def allocation_in_full(results):
    """The allocation of ours in a pool that is 99.9% full / in an empty one; of several ways to be
    full, the worst.
    """
    empty = contestant(results, "allocation", "0%", "ours")
    ratios = [
        samples.ratio(contestant(results, "allocation", case, "ours"), empty)
        for case in results.get("allocation", {})
        if case.startswith("99.9%")
    ]
    return max((ratio for ratio in ratios if ratio is not None), default=None)


# To put a process into a cgroup waits for the kernel's RCU, up to 20 ms: more than what is asked for.
RUNTIME = "crun --cgroup-manager=disabled"


def beyond_empty(results):
    """What ours takes beyond an empty program / what the floor does."""
    case = ("attach", "1")
    empty = contestant(results, *case, "empty")
    ours = samples.difference(contestant(results, *case, "ours"), empty)
    floor = samples.difference(contestant(results, *case, "floor"), empty)
    return ours / floor if ours is not None and floor else None


def hook_in_runtime(results):
    """What ours adds to a runtime's hook that does nothing / the kernel work alone."""
    added = samples.difference(
        contestant(results, "runtimes", RUNTIME, "run-ours"),
        contestant(results, "runtimes", RUNTIME, "run-empty"),
    )
    floor = samples.difference(
        contestant(results, "runtimes", RUNTIME, "floor"),
        contestant(results, "runtimes", RUNTIME, "empty"),
    )
    return added / floor if added is not None and floor else None


# Throughput goes down as time goes up: its ratios are those of the times, upside down.
CLAIMS = (
    Claim("attach: ours / floor", True, 1.15, ratio_of("attach", "1", "ours", "floor")),
    Claim(
        "attach: ours-config / floor", True, 1.25, ratio_of("attach", "1", "ours-config", "floor")
    ),
    Claim("attach: (ours - empty) / (floor - empty)", True, None, beyond_empty),
    Claim("attach: netavark / ours", False, 3.5, ratio_of("attach", "1", "netavark", "ours")),
    Claim("attach: cni / ours", False, 4.5, ratio_of("attach", "1", "cni", "ours")),
    Claim("attach: ip-batch / ours", False, 2.5, ratio_of("attach", "1", "ip-batch", "ours")),
    Claim("attach: pipework / ours", False, 15, ratio_of("attach", "1", "pipework", "ours")),
    Claim(
        "detach, namespace gone: cni / ours", False, 4.5,
        ratio_of("detach-gone", "gone", "cni", "ours"),
    ),
    Claim(
        "attach to 4000 endpoints: ours / floor", True, 1.10,
        ratio_of("endpoints", "4000", "ours", "floor"),
    ),
    Claim(
        "attach to 4000 endpoints: ours / floor that announces", True, 1.10,
        ratio_of("endpoints", "4000", "ours", "floor-announce"),
    ),
    Claim(
        "64 at once, throughput: ours / floor", False, 0.8,
        ratio_of("parallel-total", "64", "floor", "ours"),
    ),
    Claim(
        "64 at once, throughput: ours / netavark", False, 2.8,
        ratio_of("parallel-total", "64", "netavark", "ours"),
    ),
    Claim(
        "64 at once, throughput: ours / floor that announces", False, 0.8,
        ratio_of("parallel-total", "64", "floor-announce", "ours"),
    ),
    Claim("64 at once, latency of ours: p99 / p50", True, 1.5, tail_in_parallel),
    Claim(
        "allocation of ours: 99.9% full / empty pool, the worst way to be full", True, 1.5,
        allocation_in_full,
    ),
    Claim("allocation of ours, 64 at once: p99 / p50", True, 20, tail_of_allocation),
    Claim(
        "largest resident set: netavark / ours", False, 3,
        ratio_of("memory", "resident", "netavark", "ours"),
    ),
    Claim(
        "under crun: (run-ours - run-empty) / (floor - empty)", True, 1.3, hook_in_runtime
    ),
)


def judge(claim, results):
    """A claim's target, measured value and verdict, as text."""
    if claim.limit is None:
        value = claim.measure(results)
        return "", "" if value is None else f"{value:.2f}", ""
    target = f"{'≤' if claim.at_most else '≥'} {claim.limit:g}"
    value = claim.measure(results)
    if value is None:
        return target, "", "not measured"
    met = value <= claim.limit if claim.at_most else value >= claim.limit
    return target, samples.show_judged(value, claim.limit), "met" if met else "not met"
