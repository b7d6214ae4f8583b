"""Test of the chart, which is drawn from the files of the benchmarks."""

from pathlib import Path
from typing import Any

from benchmarks.charts import caption, draw

ABOUT = {"broker": "Apache Kafka", "machine": {"cpu": "Some CPU", "cores": 2}}


def percentiles(scale: float) -> dict[str, float]:
    return {"p50": scale, "p95": 2 * scale, "p99": 3 * scale}


def documents() -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    throughput = {
        **ABOUT,
        "rounds": {
            name: [{"per_s": rate}, {"per_s": rate + 1}]
            for name, rate in (("model alone", 60), ("one worker", 57), ("hand-written loop", 10))
        },
        "worker_to_model_alone": 0.95,
        "worker_to_handwritten_loop": 5.5,
    }
    latency = {**ABOUT, "model_alone_ms": percentiles(20), "loads_ms": {"idle": percentiles(22)}}
    cases = [
        {"workers": workers, "partitions": 8, "backlog": 1000, "per_s": 30, "cpu_s": {"program": 1}}
        for workers in (1, 2)
    ]
    return throughput, latency, [{**ABOUT, "cases": [case]} for case in cases]


def test_a_chart_is_drawn_from_scaling_measured_in_two_runs(tmp_path: Path) -> None:
    draw(*documents(), tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_the_caption_names_each_machine_and_broker_once() -> None:
    throughput, latency, scaling = documents()
    assert caption([throughput, latency, *scaling]) == "Some CPU, 2 cores; Apache Kafka"
