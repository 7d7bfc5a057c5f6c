"""A local page on which trees are read as a person reads: chosen beside rejected, with the history that they share.

The page is made of one script and one stylesheet (`page/`, built from `viewer/`). It reads through a server that never
writes to a run (`server`), or from files (`bundle`). What it lists, filters and searches is an index of its own
(`index`), which is built while the page is open and follows a run under way.
"""

from ultrainteract.viewing.library import Library
from ultrainteract.viewing.server import ServerSettings, serve

__all__ = ["Library", "ServerSettings", "serve"]
