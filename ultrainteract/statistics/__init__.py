"""Figures of a set of trees: counted while trees stream by, shown as tables and pictures."""
