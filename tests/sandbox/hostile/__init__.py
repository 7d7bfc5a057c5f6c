"""Hostile programs, as data, and the test that runs each of them on every backend."""
