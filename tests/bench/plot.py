# SPDX-License-Identifier: MIT
"""Bars, drawn by gnuplot: a group for each case, a bar for each contestant."""

import math
import subprocess
import textwrap
from typing import NamedTuple

import questions

LOOK = 'font "sans-serif,13" background "white"'
WIDTH_MIN = 720
WIDTH_MAX = 1000
HEIGHT = 460
MARGINS = 110  # left and right of the bars, about
LETTER = 8  # how wide one is, at most but for a few
KEY_ROW = 5  # how many contestants fit on a line of the key
GAP = 0.8  # between groups, in bars
GROUP_MIN = 2.6  # how wide a group is at least, for its name
LOG_FACTOR = 10  # the scale is logarithmic where values differ by more


class Bar(NamedTuple):
    """A bar: its middle, its height, and the height as text."""

    contestant: str
    x: float
    height: float
    label: str


class Group(NamedTuple):
    """A case's bars; room is the width of the group, in bars."""

    case: str
    bars: list
    room: float

    def middle(self):
        """Where its name goes."""
        return (self.bars[0].x + self.bars[-1].x) / 2


class Scale(NamedTuple):
    """The vertical axis."""

    log: bool
    low: float
    high: float


def quote(text):
    """A string of gnuplot's. What a newline is stays one."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def quote_tic(text):
    """A tic's name, which is a format of numbers."""
    return quote(text.replace("%", "%%"))


def arrange(heights, unit):
    """Groups of bars side by side, from [(case, [(contestant, raw value)])]."""
    groups = []
    x = 0
    for case, values in heights:
        room = max(len(values), GROUP_MIN)
        first = x + (room - len(values)) / 2
        bars = [
            Bar(contestant, first + i, unit.of(raw), unit.show(raw))
            for i, (contestant, raw) in enumerate(values)
        ]
        groups.append(Group(case, bars, room))
        x += room + GAP
    return groups


def round_down(value):
    """The largest of 1, 2, 5, 10, 20... that is not above the value."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(step * power for step in (1, 2, 5) if step == 1 or step * power <= value)


def choose_scale(heights, label_is_tall):
    """A scale on which the smallest bar is seen and the largest has space above for its label."""
    low, high = min(heights), max(heights)
    room = 1.3 if label_is_tall else 1.12
    if low <= 0 or high / low <= LOG_FACTOR:
        return Scale(False, 0, (high or 1) * room)
    low = round_down(low / 2)
    return Scale(True, low, low * (high / low) ** (room + 0.02))


def log_tics(scale):
    """Tics at 1, 2, 5 of each decade, or at 1 alone where that would be many."""
    decades = math.log10(scale.high / scale.low)
    steps = (1, 2, 5) if decades <= 3 else (1,)
    first = math.floor(math.log10(scale.low))
    marks = [step * 10.0**n for n in range(first, first + 12) for step in steps]
    return ", ".join(
        f'"{mark:.10g}" {mark:.10g}' for mark in marks if scale.low <= mark <= scale.high
    )


def case_names(groups, bar_width):
    """The cases' names, on as many lines as it takes."""
    names = []
    for group in groups:
        letters = int((group.room + GAP) * bar_width / LETTER) - 1
        lines = textwrap.wrap(group.case, max(letters, 6), break_long_words=False)
        names.append("\n".join(lines))
    return names


def tics(middles, names):
    """Tics with names."""
    return ", ".join(f"{quote_tic(name)} {x:g}" for x, name in zip(middles, names))


def present(groups):
    """Each contestant that has a bar."""
    return questions.ordered({bar.contestant for group in groups for bar in group.bars})


def key_entries(groups):
    """What is in the key."""
    return [
        f"keyentry with boxes fc rgb {questions.colour(name)} title {quote(name)}"
        for name in present(groups)
    ]


def axis_title(question, scale):
    """What the height is, its unit, and whether the scale is logarithmic."""
    unit = "" if question.unit.per_second else f", {question.unit.name}"
    return f"{question.axis}, median{unit}{' (logarithmic)' if scale.log else ''}"


def has_cases(question, groups):
    """Are the cases named? Otherwise there is but one, which the question's title tells."""
    return bool(question.cases) or len(groups) > 1


def horizontal(question, groups, bar_width):
    """The horizontal axis: the cases and a key, or else the contestants."""
    first, last = groups[0], groups[-1]
    low = first.middle() - first.room / 2 - 0.2
    high = last.middle() + last.room / 2 + 0.2
    yield f"set xrange [{low:g}:{high:g}]"
    if not has_cases(question, groups):
        names = [bar.contestant for bar in first.bars]
        yield f"set xtics ({tics([bar.x for bar in first.bars], names)}) nomirror scale 0"
        yield "unset key"
        return
    names = case_names(groups, bar_width)
    lines = max(name.count("\n") for name in names) + 1
    middles = [group.middle() for group in groups]
    yield f"set xtics ({tics(middles, names)}) nomirror scale 0"
    if question.cases:
        yield f"set xlabel {quote(question.cases)} offset 0,{1 - lines:g}"
        lines += 1
    lines += 1 if len(present(groups)) <= KEY_ROW else 2
    yield f"set bmargin {lines + 2.3:g}"
    yield "set key bmargin center horizontal Left reverse samplen 1.5 maxrows 2"


def vertical(question, scale):
    """The vertical axis."""
    yield f"set ylabel {quote(axis_title(question, scale))}"
    # A tic on the very end of a logarithmic axis is not always drawn.
    yield f"set yrange [{scale.low * 0.999:.10g}:{scale.high:.10g}]"
    if scale.log:
        yield "set logscale y"
        yield f"set ytics ({log_tics(scale)}) nomirror"
    else:
        yield "set ytics nomirror"


def plots(question, groups, tall):
    """The bars, what is written on them, and the key."""
    turned = "rotate by 90 left offset 0,0.4" if tall else "center offset 0,0.6"
    yield "$bars using 1:2:3:4 with boxes lc rgb variable notitle"
    yield f'"" using 1:2:5 with labels {turned} font ",12" notitle'
    if has_cases(question, groups):
        yield from key_entries(groups)


def script(question, groups):
    """What gnuplot is told."""
    bars = [bar for group in groups for bar in group.bars]
    span = groups[-1].middle() + groups[-1].room / 2 + 0.4
    width = min(max(WIDTH_MIN, round(42 * span) + MARGINS), WIDTH_MAX)
    bar_width = (width - MARGINS) / span
    tall = bar_width < LETTER * max(len(bar.label) for bar in bars)
    lines = [
        "$bars << END",
        *(
            f"{bar.x:g} {bar.height:.10g} 0.86 {questions.colour(bar.contestant)} {bar.label}"
            for bar in bars
        ),
        "END",
        f"set terminal svg noenhanced size {width},{HEIGHT} {LOOK}",
        "set encoding utf8",
        f'set title {quote(question.title)} font ",16"',
        "set border 3 lc rgb 0x666666",
        "set style fill solid 1 noborder",
        "set grid ytics lc rgb 0xe4e4e4 lt 1",
        *vertical(question, choose_scale([bar.height for bar in bars], tall)),
        *horizontal(question, groups, bar_width),
        "plot " + ", ".join(plots(question, groups, tall)),
    ]
    return "\n".join(lines) + "\n"


def draw(path, question, heights):
    """Draws [(case, [(contestant, raw value)])] into a file."""
    text = script(question, arrange(heights, question.unit))
    try:
        done = subprocess.run(
            ["gnuplot"], input=text, stdout=subprocess.PIPE, encoding="utf-8", check=True
        )
    except FileNotFoundError as error:
        raise OSError("there is no gnuplot: install gnuplot-nox") from error
    path.write_text(done.stdout, encoding="utf-8")
