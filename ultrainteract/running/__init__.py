"""Running a configuration: admission, progress, report."""

from ultrainteract.running.report import RunReport
from ultrainteract.running.runner import Runner

__all__ = ["RunReport", "Runner"]
