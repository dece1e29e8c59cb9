"""`sealcam-sink`, which is `python -m cloud_sink` too."""

from __future__ import annotations

import sys

from wire.errors import INTERRUPTED, LibraryMissingError


def main() -> int:
    """Run one command; gives its exit status."""
    try:
        from cloud_sink import cli  # here, so that a library that is missing is a sentence too

        return cli.main()
    except ImportError as error:
        failure = LibraryMissingError.of(error)
        print(f"sealcam-sink: {failure}", file=sys.stderr)
        return failure.exit_status
    except KeyboardInterrupt:  # while loading
        print("sealcam-sink: interrupted", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
