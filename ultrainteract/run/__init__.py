"""Running a configuration: admission, progress, report."""

from ultrainteract.run.report import RunReport
from ultrainteract.run.runner import Runner

__all__ = ["RunReport", "Runner"]
