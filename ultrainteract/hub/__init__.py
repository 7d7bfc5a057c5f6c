"""Publication on the Hugging Face Hub: rights, card, one commit, and reading it back (extra: hub)."""

from ultrainteract.hub.commit import Published, push
from ultrainteract.hub.publication import Publication, check_formats, check_simulated, prepare
from ultrainteract.hub.publishing import prepare_source, publish_run
from ultrainteract.hub.rights import Rights, check_rights

__all__ = [
    "Publication",
    "Published",
    "Rights",
    "check_formats",
    "check_rights",
    "check_simulated",
    "prepare",
    "prepare_source",
    "publish_run",
    "push",
]
