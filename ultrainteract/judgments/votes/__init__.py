"""Crowd votes: battles in, ratings with intervals and pairs with a posterior of agreement out.

Votes are read (`formats`), cleaned (`cleaning`), rated (`ratings`, `style`), probed for how few of them decide the
first place (`influence`), and made into pairs (`pairs`). A rating never makes a pair by itself.
"""

from ultrainteract.judgments.votes.battle import Battle, Style
from ultrainteract.judgments.votes.formats import Mapping, read_battles

__all__ = ["Battle", "Mapping", "Style", "read_battles"]
