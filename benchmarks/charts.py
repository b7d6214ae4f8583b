"""The figure of docs/performance.md, drawn from what the benchmarks have written.

    python -m benchmarks.charts [--input build/benchmarks] [--output docs/performance.png]

Reads ``throughput.json``, ``latency.json`` and ``scaling*.json``; scaling may have been measured in
several runs.
"""

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.drawing import BLUE, DPI, GREY, ORANGE, PALE, tidy

__all__ = ["draw"]

#: Inches; text of this size is readable where a README is about 850 pixels wide.
SIZE = (9.5, 7.2)
#: Programs that ``throughput`` measures, from the top.
THROUGHPUT = {"model alone": GREY, "one worker": BLUE, "hand-written loop": ORANGE}
#: Colors of the bars in a group.
COLOURS = (PALE, BLUE, ORANGE, GREY)

Document = Mapping[str, Any]


def main() -> None:
    """Draw the figure that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--input", type=Path, default=Path("build/benchmarks"), metavar="DIR")
    parser.add_argument("--output", type=Path, default=Path("docs/performance.png"), metavar="FILE")
    options = parser.parse_args()
    draw(
        _load(options.input, "throughput.json")[0],
        _load(options.input, "latency.json")[0],
        _load(options.input, "scaling*.json"),
        options.output,
    )


def draw(throughput: Document, latency: Document, scaling: Sequence[Document], path: Path) -> None:
    """Draw the four parts and write them to ``path`` as PNG."""
    figure = Figure(figsize=SIZE, layout="constrained")
    (top_left, top_right), (bottom_left, bottom_right) = figure.subplots(2, 2)
    cases = [case for document in scaling for case in document["cases"]]
    _draw_throughput(top_left, throughput)
    _draw_latency(top_right, latency)
    _draw_cost(bottom_left, cases)
    _draw_workers(bottom_right, cases)
    figure.supxlabel(caption([throughput, latency, *scaling]), fontsize=9, color=GREY)
    figure.savefig(path, dpi=DPI, facecolor="white")


def caption(documents: Sequence[Document]) -> str:
    """Return a caption with the machines and brokers that were measured on."""
    machines = {
        f"{document['machine']['cpu']}, {document['machine']['cores']} cores"
        for document in documents
    }
    return "; ".join([*sorted(machines), *sorted({document["broker"] for document in documents})])


def _draw_throughput(axes: Axes, document: Document) -> None:
    rates = {
        name: median(pace["per_s"] for pace in document["rounds"][name]) for name in THROUGHPUT
    }
    for name, colour in THROUGHPUT.items():
        axes.bar_label(axes.barh(name, rates[name], 0.6, color=colour), fmt="%.1f", padding=4)
    to_limit, to_loop = document["worker_to_model_alone"], document["worker_to_handwritten_loop"]
    axes.text(
        rates["one worker"] / 2,
        1,
        f"{to_limit:.2f} of the model alone,\n{to_loop:.1f} x the loop",
        color="white",
        ha="center",
        va="center",
    )
    axes.margins(x=0.15)
    axes.invert_yaxis()
    axes.set(title="A backlog, worked off", xlabel="pictures per second")
    tidy(axes)


def _draw_latency(axes: Axes, document: Document) -> None:
    loads = {"model alone": document["model_alone_ms"], **document["loads_ms"]}
    for name, percentiles in loads.items():
        colour = GREY if name == "model alone" else BLUE
        axes.plot([percentiles["p50"], percentiles["p99"]], [name, name], color=colour, alpha=0.4)
        for percent, marker in (("p50", "o"), ("p95", "D"), ("p99", "s")):
            axes.plot(
                percentiles[percent],
                name,
                marker,
                color=colour,
                label=percent if name == "model alone" else None,
            )
    axes.invert_yaxis()
    axes.set(title="From request to label", xlabel="milliseconds")
    axes.set_xlim(left=0)
    axes.margins(y=0.15)
    axes.legend(frameon=False)
    tidy(axes)


def _draw_cost(axes: Axes, cases: Sequence[Document]) -> None:
    """Draw a group of bars for each number of workers and partitions, one bar for each backlog."""
    backlogs = sorted({case["backlog"] for case in cases})
    groups = sorted({(case["workers"], case["partitions"]) for case in cases})
    cost = {
        (case["workers"], case["partitions"], case["backlog"]): case["cpu_s"]["program"] * 1e3
        for case in cases
    }
    _draw_groups(
        axes,
        [f"{workers} x {partitions}" for workers, partitions in groups],
        {
            f"{backlog:,} queued": [cost.get((*group, backlog), 0.0) for group in groups]
            for backlog in backlogs
        },
    )
    axes.set(
        title="Cost of a picture as the work grows",
        xlabel="workers of one thread x partitions",
        ylabel="ms of CPU time",
    )


def _draw_workers(axes: Axes, cases: Sequence[Document]) -> None:
    """Draw the labels per second of one and of more workers by partitions.

    Uses the longest of the backlogs that were measured in most cases.
    """
    measured = Counter(case["backlog"] for case in cases)
    longest = max(measured, key=lambda backlog: (measured[backlog], backlog))
    rates = {
        (case["partitions"], case["workers"]): case["per_s"]
        for case in cases
        if case["backlog"] == longest
    }
    partitions = sorted({number for number, _ in rates})
    _draw_groups(
        axes,
        [f"{number}" for number in partitions],
        {
            f"{workers} worker{'s'[: workers > 1]}": [
                rates.get((number, workers), 0.0) for number in partitions
            ]
            for workers in sorted({workers for _, workers in rates})
        },
    )
    axes.set(
        title=f"One thread each, {longest:,} queued",
        xlabel="partitions",
        ylabel="labels per second",
    )


def _draw_groups(axes: Axes, groups: Sequence[str], bars: Mapping[str, Sequence[float]]) -> None:
    """Draw bars side by side in each group; a value of 0 gets no bar."""
    width = 0.8 / len(bars)
    for number, ((name, values), colour) in enumerate(zip(bars.items(), COLOURS, strict=False)):
        places = [place + (number - (len(bars) - 1) / 2) * width for place in range(len(groups))]
        drawn = axes.bar(places, values, width * 0.94, color=colour, label=name)
        texts = [f"{value:.0f}" if value else "" for value in values]
        axes.bar_label(drawn, texts, fontsize=9)
    axes.set_xticks(range(len(groups)), groups)
    axes.margins(y=0.25)  # space for the legend
    axes.legend(frameon=False, ncols=len(bars), loc="upper center", columnspacing=1)
    tidy(axes)


def _load(folder: Path, pattern: str) -> list[Document]:
    """Return the documents of a benchmark. Raises ``SystemExit`` with a sentence if none exists."""
    files = sorted(folder.glob(pattern))
    if not files:
        raise SystemExit(f"There is no {pattern} in {folder}: run the benchmark with --output.")
    return [json.loads(file.read_text()) for file in files]


if __name__ == "__main__":
    main()
