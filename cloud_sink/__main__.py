"""`sealcam-sink`, which is `python -m cloud_sink` too."""

from __future__ import annotations

import sys

import program


def main() -> int:
    """Run one command; gives its exit status."""

    def work() -> int:
        from cloud_sink import cli  # here, so that a library that is missing is a sentence too

        return cli.work()

    return program.run("sealcam-sink", work, private=True)


if __name__ == "__main__":
    sys.exit(main())
