"""Growing a preference tree: the ladder to a correct action, the incorrect action, observation and critique."""

from ultrainteract.tree.grow import Grower

__all__ = ["Grower"]
