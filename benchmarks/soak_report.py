"""Output of a soak run: a CSV row every few seconds, a chart of the rows, and a summary."""

import csv
import time
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Never

import numpy as np
import numpy.typing as npt
import psutil
from matplotlib.figure import Figure
from tqdm import tqdm

from benchmarks.drawing import BLUE, DPI, GREY, ORANGE, RED, tidy
from benchmarks.processes import listener, memory_mb

COLUMNS = (
    *("seconds", "labels_per_second", "lag", "kills", "broker_mb"),
    *("worker_1", "worker_1_mb", "worker_2", "worker_2_mb"),
)
#: Seconds between two rows.
SAMPLE_SECONDS = 5.0
#: A worker's first minutes fill its caches; its memory is judged from then on.
_SETTLED_SECONDS = 120
_SHORTEST_FIT_SECONDS = 300


@dataclass(frozen=True)
class _Life:
    """Samples of one worker."""

    pid: str
    seconds: npt.NDArray[np.float64]
    rss_mb: npt.NDArray[np.float64]


class Recorder:
    """Writer of the CSV rows; it remembers the figures for the summary."""

    def __init__(self, path: Path, broker: str, bar: "tqdm[Never]") -> None:
        self.path = path
        self.take_overs: list[float] = []
        self._broker = listener(broker)
        self._bar = bar
        self._kills = 0
        self._slots: list[int | None] = [None, None]
        self._began = time.monotonic()
        with path.open("w", newline="") as file:
            csv.writer(file).writerow(COLUMNS)

    def begin(self) -> None:
        """Begin the run now."""
        self._began = time.monotonic()

    def kill(self) -> None:
        """Record that a worker has been killed."""
        self._kills += 1

    def taken_over(self, seconds: float) -> None:
        """Record the longest wait of a request after a worker was killed."""
        self.take_overs.append(seconds)

    def sample(self, *, throughput: float, lag: int, pids: list[int]) -> None:
        """Write one row; a new worker takes the place of one that is gone."""
        self._slots = [pid if pid in pids else None for pid in self._slots]
        for pid in pids:
            if pid not in self._slots:
                self._slots[self._slots.index(None)] = pid
        workers = [cell for pid in self._slots for cell in (pid, _rss_mb(pid))]
        seconds = time.monotonic() - self._began
        row = [round(seconds, 1), round(throughput, 2), lag, self._kills, _rss_mb(self._broker)]
        with self.path.open("a", newline="") as file:
            csv.writer(file).writerow([*row, *workers])
        self._bar.set_postfix(labels_per_s=f"{throughput:.1f}", lag=lag, kills=self._kills)
        self._bar.update(SAMPLE_SECONDS)


def summary(recorder: Recorder) -> str:
    """Return the summary, as lines for people."""
    rows = _read(recorder.path)
    lines = [
        f"labels/s: {np.mean([float(row['labels_per_second']) for row in rows]):.1f} on average",
        f"largest lag: {max(int(row['lag']) for row in rows)} requests",
        f"kills: {len(recorder.take_overs)}; longest wait of a request after each, s: "
        + ", ".join(f"{seconds:.1f}" for seconds in recorder.take_overs),
    ]
    for slot in (1, 2):
        lines += [line for life in _lives(rows, slot) if (line := _memory(life))]
    return "\n".join(lines)


def _memory(life: _Life) -> str | None:
    """Return a line on the memory of a worker that lived long enough."""
    settled = life.seconds >= life.seconds[0] + _SETTLED_SECONDS
    seconds, rss = life.seconds[settled], life.rss_mb[settled]
    if len(seconds) < 2 or seconds[-1] - seconds[0] < _SHORTEST_FIT_SECONDS:
        return None
    slope = np.polyfit(seconds / 3600, rss, 1)[0]
    return (
        f"worker {life.pid}: {rss.min():.0f} to {rss.max():.0f} MB over "
        f"{(seconds[-1] - seconds[0]) / 60:.0f} minutes, slope {slope:+.1f} MB/h"
    )


def draw(path: Path, picture: Path) -> None:
    """Draw throughput, lag and memory over time, with kills as vertical lines."""
    rows = _read(path)
    if not rows:
        return
    minutes = [float(row["seconds"]) / 60 for row in rows]
    figure = Figure(figsize=(9, 7), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, sharex=True)
    top.plot(minutes, [float(row["labels_per_second"]) for row in rows], color=BLUE)
    top.set_ylabel("labels per second")
    middle.plot(minutes, [int(row["lag"]) for row in rows], color=BLUE)
    middle.set_ylabel("requests waiting")
    for slot, colour in ((1, BLUE), (2, ORANGE)):
        for number, life in enumerate(_lives(rows, slot)):
            label = f"worker {slot}" if number == 0 else None
            bottom.plot(life.seconds / 60, life.rss_mb, color=colour, label=label)
    known = [
        (now, float(row["broker_mb"]))
        for now, row in zip(minutes, rows, strict=True)
        if row["broker_mb"]
    ]
    if known:
        bottom.plot(*zip(*known, strict=True), color=GREY, linewidth=1, label="broker")
    bottom.set_ylabel("resident memory, MB")
    bottom.set_xlabel("minutes")
    kills = [
        now
        for now, row, before in zip(minutes[1:], rows[1:], rows, strict=False)
        if row["kills"] != before["kills"]
    ]
    for axes in (top, middle, bottom):
        axes.set_ylim(bottom=0)
        tidy(axes)
        for number, kill in enumerate(kills):
            label = "a worker is killed" if number == 0 and axes is bottom else None
            axes.axvline(kill, color=RED, linestyle=":", linewidth=1, label=label)
    bottom.legend(frameon=False, ncols=4, loc="lower right")
    figure.savefig(picture, dpi=DPI)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _lives(rows: list[dict[str, str]], slot: int) -> list[_Life]:
    """Return the workers that had this place, in order of time."""
    column = f"worker_{slot}"
    lives = []
    for pid, group in groupby(rows, key=lambda row: row[column]):
        samples = [
            (float(row["seconds"]), float(row[f"{column}_mb"]))
            for row in group
            if row[f"{column}_mb"]
        ]
        if pid and samples:
            seconds, rss = np.array(samples).T
            lives.append(_Life(pid, seconds, rss))
    return lives


def _rss_mb(pid: int | None) -> float | None:
    try:
        return None if pid is None else round(memory_mb(pid), 1)
    except psutil.NoSuchProcess:
        return None
