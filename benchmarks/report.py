"""Figures as a table for people and as JSON for charts."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

__all__ = ["machine", "milliseconds", "report", "spread"]


def report(
    title: str,
    rows: Mapping[str, str],
    figures: Mapping[str, Any],
    *,
    broker: str,
    output: Path | None,
) -> None:
    """Print a table; write the figures as JSON if asked to."""
    width = max(map(len, rows))
    print(f"\n{title}, {broker}")
    for name, text in rows.items():
        print(f"  {name:<{width}}  {text}")
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        document = {"benchmark": title, "broker": broker, "machine": machine(), **figures}
        output.write_text(json.dumps(document, indent=2) + "\n")


def spread(values: Sequence[float]) -> str:
    """Return the median, the smallest and the largest of several rounds."""
    return f"{_short(median(values))} ({_short(min(values))} to {_short(max(values))})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def milliseconds(seconds: Mapping[str, float]) -> str:
    """Return times by name, the largest first."""
    largest = sorted(seconds.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {value * 1e3:.2f}" for name, value in largest)


def machine() -> dict[str, Any]:
    """Return a description of the machine that was measured on."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:  # not Linux
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
