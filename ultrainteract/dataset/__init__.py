"""Datasets as data: importing published rows, rebuilding trees, validating, reading trees from anywhere."""
