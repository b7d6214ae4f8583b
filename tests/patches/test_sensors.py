"""Tests that Faust keeps no statistics for each record, and logs no warning about it."""

from faust.sensors import Monitor, Sensor, SensorDelegate

from catdog_stream.app import build_app
from catdog_stream.settings import Settings


def test_the_monitor_is_left_out_and_other_sensors_are_not() -> None:
    app, other = build_app(Settings()), Sensor()
    app.sensors.add(app.monitor)
    assert isinstance(app.monitor, Monitor)
    app.sensors.add(other)
    assert list(app.sensors) == [other]


def test_a_rebalance_without_sensors_has_a_state_all_the_same() -> None:
    app = build_app(Settings())
    state = app.sensors.on_rebalance_start(app)
    assert state
    app.sensors.on_rebalance_return(app, state)
    app.sensors.on_rebalance_end(app, state)


def test_faust_takes_no_sensor_for_no_state() -> None:
    """Remove the patch when this fails: see docs/upstream.md."""
    app = build_app(Settings())
    assert not SensorDelegate(app).on_rebalance_start(app)
