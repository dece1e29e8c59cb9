"""`python -m device.channel.entry NAME`: where every compartment's process begins.

The control link is adopted before the compartment's own code is imported, so that a library that is missing, and
whatever else goes wrong from there on, reaches warden as a word of `failures`.
"""

from __future__ import annotations

import importlib
import sys
from types import TracebackType

from device.channel.compartment import Compartment
from wire.vocabulary import COMPARTMENTS, word


def main(argv: list[str]) -> int:
    """Become compartment `argv[0]`; returns its exit status, 2 where there is no such compartment."""
    name = word(argv[0], COMPARTMENTS) if argv else None
    if name is None or name == "warden":
        print("sealcam: compartments are started by sealcam, never by hand", file=sys.stderr)
        return 2
    me = Compartment(name, argv[1:])

    def on_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """An error that is not caught ends this process; its kind goes to warden, the rest to standard error."""
        me.tell_failure(error)
        sys.__excepthook__(kind, error, trace)

    sys.excepthook = on_fault
    importlib.import_module(f"device.{name}.__main__").main(me)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
