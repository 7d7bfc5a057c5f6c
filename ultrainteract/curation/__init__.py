"""Small curated sets: which n trees of a pool to train on, by a rule that is written down and always gives the same.

A pool's candidates are read (`candidates`), sorted into topics (`topics`), and taken by quota (`selection`); `report`
says what became of every tree, beside a random and a longest set of equal size.
"""

from ultrainteract.curation.rule import CurationRule

__all__ = ["CurationRule"]
