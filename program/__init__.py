"""What every program of ours shares: how it begins, takes its arguments, writes its files, and ends."""

from program.ending import run

__all__ = ["run"]
