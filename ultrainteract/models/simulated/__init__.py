"""Simulated models: every role of the pipeline without a network or weights."""
