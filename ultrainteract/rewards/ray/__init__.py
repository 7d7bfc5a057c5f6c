"""Grading on a Ray cluster."""
