# SPDX-License-Identifier: MIT
"""The questions that the benchmark puts, and how their answers are shown."""

from typing import NamedTuple


class Unit(NamedTuple):
    """How a raw value, microseconds or KiB, is shown."""

    name: str
    scale: float = 1
    per_second: bool = False

    def of(self, raw):
        """The raw value in this unit."""
        if self.per_second:
            return 1e6 / raw if raw > 0 else 0
        return raw * self.scale

    def show(self, raw):
        """The raw value in this unit, as text."""
        value = self.of(raw)
        digits = 0 if self.name == "KiB" or value >= 100 else 1
        if self.name == "ms" and value < 10:
            digits = 2
        return f"{value:.{digits}f}"


MS = Unit("ms", 1e-3)
US = Unit("µs")
KIB = Unit("KiB")
RATE = Unit("1/s", per_second=True)


class Question(NamedTuple):
    """A question; about is a sentence for the report, axis what the plot's height is, cases what
    its cases are, where it has several.
    """

    title: str
    about: str
    axis: str = "time of the whole process"
    cases: str = ""
    unit: Unit = MS


# The contestants in the order in which they are shown, and colours that the colour-blind can tell
# apart (Okabe and Ito): ours are blue, what only sets a scale is grey.
COLOURS = {
    "empty": 0xDDDDDD,
    "floor": 0x888888,
    "floor-announce": 0x555555,
    "none": 0xDDDDDD,
    "run-none": 0xF0E442,
    "run-empty": 0x56B4E9,
    "run-ours": 0x0072B2,
    "macvlan": 0xE69F00,
    "ours": 0x0072B2,
    "ours-config": 0x56B4E9,
    "netavark": 0xE69F00,
    "host-local": 0xD55E00,
    "ours-attach": 0x56B4E9,
    "cni": 0xD55E00,
    "cni-dual": 0xD55E00,
    "ip-batch": 0x009E73,
    "pipework": 0xCC79A7,
}
COLOUR_OF_OTHERS = 0x000000

QUESTIONS = {
    "attach": Question(
        "How long does it take to attach a container?",
        "One at a time, to a parent that has no other endpoints but those of the same round, seven at "
        "most. `empty` is a program that does "
        "nothing; `floor` makes the least requests of the kernel, with values that are in its source "
        "and nothing around them; `floor-announce` has the addresses announced besides, as ours, "
        "netavark and CNI do; `ours-config` looks for the container's name in config.json.",
    ),
    "dual": Question(
        "How long does it take to attach a container to IPv4 and IPv6?",
        "CNI waits for the end of duplicate address detection; elsewhere in this report it has "
        "IPv4 alone.",
    ),
    "detach-gone": Question(
        "How long does it take to detach a container whose namespace is gone?",
        "What mostly happens: the kernel has deleted the link with the namespace, and what is left "
        "is to give the address back.",
    ),
    "detach-alive": Question(
        "How long does it take to detach a container whose namespace is still there?",
        "The link has to be deleted.",
    ),
    "endpoints": Question(
        "How long does it take to attach where others are attached?",
        "One at a time, to a parent that already has so many endpoints, besides those of the same "
        "round. `floor-announce` is the floor "
        "with the announcements that ours, netavark and CNI make as well: each goes to all other "
        "endpoints on the parent.",
        cases="endpoints on the parent",
    ),
    "parallel": Question(
        "How long does each attach take where many happen at once?",
        "Each process is timed; as soon as one has ended the next one starts.",
        axis="time of a process",
        cases="attached at once",
    ),
    "parallel-total": Question(
        "How many attaches are done in a second?",
        "Of the same runs: the time from the first start to the last end, divided by the number of "
        "attaches.",
        axis="attaches per second",
        cases="attached at once",
        unit=RATE,
    ),
    "allocation": Question(
        "How long does it take to find a free address?",
        "`ours` is the allocation alone, with the opening of the pool, in a process that does it again "
        "and again: code and caches are warm. `host-local` and `ours-attach` are whole processes, and "
        "`ours-attach` has the kernel's work in it.",
        axis="time of an allocation",
        cases="how full the pool is, and how",
        unit=US,
    ),
    "memory": Question(
        "How much memory does it take?",
        "Of the largest process: `resident` is its largest resident set (VmHWM), with all pages of "
        "libraries that it shares with other processes; `own` what it shares with nobody, when it "
        "ends; `binary` the executables, without libraries.",
        axis="size",
        cases="what is counted",
        unit=KIB,
    ),
    "runtimes": Question(
        "How long does it take a runtime to run a container?",
        "`run-none` has no hook, `run-empty` a hook that does nothing, `run-ours` attaches. "
        "`empty` and `floor` are programs alone.",
        axis="time from start to end",
        cases="runtime",
    ),
    "containers": Question(
        "How long does it take to run a container?",
        "With no network, with the engine's own macvlan driver, and with the hook.",
        axis="time from start to end",
        cases="engine",
    ),
}


def ordered(contestants):
    """The contestants as they are shown; those that are not known, last."""
    known = list(COLOURS)
    return sorted(contestants, key=lambda name: known.index(name) if name in known else len(known))


def colour(contestant):
    """A contestant's colour."""
    return COLOURS.get(contestant, COLOUR_OF_OTHERS)
