"""Tests of the whole system: a real broker, real worker processes, the real model."""
