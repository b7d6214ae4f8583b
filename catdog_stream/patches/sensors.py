"""Faust's statistics of each record are not kept.

Fault (Faust 0.15): a ``Monitor`` takes notes of each record that is read, delivered, processed,
sent and acknowledged, for a page that this application does not have: a tenth of what a small
request costs. Without any sensor Faust warns at each rebalance of a state that is missing.

Repair: no monitor among the sensors, and a state for rebalances. What is worth knowing is in
``metrics``.
"""

from typing import Any

from faust.sensors import Monitor, SensorDelegate
from faust.types import AppT, SensorT

__all__ = ["Sensors"]


class Sensors(SensorDelegate):
    """All sensors but the monitor."""

    def add(self, sensor: SensorT) -> None:
        """Add ``sensor``, if it is not the monitor, which Faust adds at each start."""
        if not isinstance(sensor, Monitor):
            super().add(sensor)

    def on_rebalance_start(self, app: AppT) -> dict[Any, Any]:
        """Return the sensors' states; never an empty dictionary, which Faust takes for none."""
        return {None: None, **super().on_rebalance_start(app)}
