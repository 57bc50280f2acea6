#!/usr/bin/env python3
"""Draws what compare.py has kept: what a delivery costs as a room grows, for each system.

    python3 tests/bench/compare.py --out FIGURES.jsonl
    python3 -m pip install matplotlib
    python3 tests/bench/plots.py FIGURES.jsonl PICTURE.svg

Lines go through the medians; the areas around them are from the least to the most.
"""

import argparse
import json
import pathlib
import re
import statistics
import sys

MODES = {"b1": "one message at a time", "b30": "bursts of 30", "s256": "a stream, 256 under way"}
#: One look for each system, the same in all three, that also black and white can tell apart.
LOOKS = (("#1b6ca8", "o", "-"), ("#c8553d", "s", "--"), ("#588157", "^", ":"),
         ("#6d597a", "D", "-."))


def read_figures(path):
    """{mode: {system: {members: [figures]}}}"""
    found = {}
    for line in path.read_text().splitlines():
        figure = json.loads(line)
        row = re.fullmatch(r"(\w+), (\d+) members", figure["row"])
        if row and row[1] in MODES:
            found.setdefault(row[1], {}).setdefault(figure["system"], {}).setdefault(
                int(row[2]), []).append(figure["figure"])
    return found


def draw(found, picture):
    from matplotlib import pyplot, ticker

    pyplot.rcParams["svg.hashsalt"] = "quicchat"  # the same figures give the same file
    modes = [mode for mode in MODES if mode in found]
    figure, places = pyplot.subplots(1, len(modes), figsize=(4 * len(modes), 3.4), squeeze=False)
    for mode, place in zip(modes, places[0], strict=True):
        for (system, points), (colour, mark, line) in zip(found[mode].items(), LOOKS):
            members = sorted(points)
            place.plot(members, [statistics.median(points[count]) for count in members],
                       color=colour, marker=mark, linestyle=line, label=system)
            place.fill_between(members, [min(points[count]) for count in members],
                               [max(points[count]) for count in members], color=colour, alpha=0.15)
        place.set(title=MODES[mode], xscale="log", yscale="log", xlabel="members")
        counts = sorted({count for points in found[mode].values() for count in points})
        place.set_xticks(counts, map(str, counts))
        place.minorticks_off()
        place.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        place.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
        place.grid(alpha=0.3)
    places[0][0].set_ylabel("server CPU per delivery, µs")
    places[0][-1].legend()
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None} if picture.suffix == ".svg" else None)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=pathlib.Path)
    parser.add_argument("picture", type=pathlib.Path, help="its end says what kind: .svg, .png")
    options = parser.parse_args()
    found = read_figures(options.figures)
    if not found:
        sys.exit(f"{options.figures} has no figures of floods")
    try:
        draw(found, options.picture)
    except ModuleNotFoundError as error:
        sys.exit(f"{error.name} is missing: python3 -m pip install matplotlib")


if __name__ == "__main__":
    main()
