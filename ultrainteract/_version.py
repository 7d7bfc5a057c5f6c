"""The version, kept apart so that every floor of the package can name it."""

__version__ = "0.1.0"
