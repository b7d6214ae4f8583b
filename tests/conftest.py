"""What every part of the test suite may use."""

pytest_plugins = ["catdog_stream.testing.fixtures"]
