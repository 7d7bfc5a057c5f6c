"""Fuzzing: targets that must survive any input, an engine that looks for one they do not, and what it found so far.

A target is a function of one JSON value, registered by `@target` in a module of this package; every module here is
searched for targets. `scripts/fuzz` runs them; what it finds becomes a file under `examples/`, which
`test_examples.py` replays for good.
"""
