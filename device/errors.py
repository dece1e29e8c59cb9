"""The two roots of what a user of the device can be told; each message is one sentence with the remedy."""


class SealcamError(Exception):
    """Root: what the command line prints as `sealcam: <sentence>`, without a traceback."""

    exit_status = 1


class UsageError(SealcamError):
    """The command, its input or its configuration is at fault; nothing was run. Exit status 2."""

    exit_status = 2


class RunError(SealcamError):
    """The run began and something in it went wrong. Exit status 1."""

    exit_status = 1
