"""What can go wrong: the root of every error that Sealcam raises on purpose, and the errors at a trust boundary.

An error that a user reads has two fields, `sentence` (what is wrong, and where) and `remedy` (what to do); its class
carries the exit status of the command that it ends, and each class is also the builtin that is nearest to it.

At a trust boundary two kinds are never mixed: `HostileInputError` is what the other side sent, `IssueError` is what our
own side asked for. A hostile input's sentence is fixed and its `reason` is a fixed word of [a-z_]: nothing of the input
itself ever gets into either, so both are safe to show, to log and to store.
"""

from __future__ import annotations

import errno
import os
from typing import Any, ClassVar, Final

INTERRUPTED: Final = 130
"""Exit status of every program that Ctrl-C ended: 128 and SIGINT's number, as shells have it."""


def line(sentence: str, remedy: str = "") -> str:
    """What a user reads: one line, without what a terminal would obey."""
    return printable(f"{sentence}; {remedy}" if remedy else sentence)


def printable(text: str) -> str:
    """The text with line ends, terminal escapes and bytes that are no UTF-8 written out: file names have them."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


_OF_THE_MACHINE: Final = {
    errno.EMFILE: "allow more open files (ulimit -n 1024)",
    errno.ENFILE: "close other programs",
    errno.ENOMEM: "free memory, or allow more (ulimit -v unlimited)",
    errno.EAGAIN: "allow more processes (ulimit -u), or close other programs",
    errno.ENOSPC: "free some space on its disk",
    errno.EDQUOT: "free some of your quota on its disk",
    errno.EROFS: "make its disk writable again (mount -o remount,rw), and check it: it may be failing",
    errno.EIO: "check its disk (dmesg): it may be failing",
    errno.EFBIG: "allow larger files (ulimit -f unlimited)",
}
_OF_A_FILE: Final = {
    errno.ENOENT: "check its name and its folder",
    errno.EACCES: "check who may read and write there",
    errno.EPERM: "check who may read and write there",
    errno.EROFS: "choose a place that can be written",
    errno.ENOTDIR: "check its name: a part of it is no folder",
    errno.EISDIR: "check its name: it is a folder",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ELOOP: "check the links there",
}
"""Error number -> remedy, for what the machine lacks and for what is wrong with one file."""
_NO_TEMPORARY: Final = "No usable temporary directory"  # how `tempfile` begins


def remedy_of(number: int, otherwise: str) -> str:
    """What a user can do about one of the system's error numbers."""
    return _OF_THE_MACHINE.get(number, otherwise)


class SealcamError(Exception):
    """Root of every error that Sealcam raises on purpose; as text it is the line that the user reads.

    Attributes:
        sentence: what is wrong, and where; without a full stop.
        remedy: what the user can do, empty where the error never reaches a user.
        exit_status: of the command that ends with this error.
    """

    exit_status: ClassVar[int] = 1

    def __init__(self, sentence: str, remedy: str = "") -> None:
        super().__init__(line(sentence, remedy))
        self.sentence = sentence
        self.remedy = remedy

    def __str__(self) -> str:
        return line(self.sentence, self.remedy)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.sentence, self.remedy)


class UsageError(SealcamError, ValueError):
    """The command, its input or its configuration is at fault; nothing was run."""

    exit_status = 2


class RunError(SealcamError, RuntimeError):
    """The run began and something in it went wrong."""

    exit_status = 1


class MachineError(UsageError):
    """The machine refuses the command something that it needs: descriptors, memory, space, a permission."""

    @classmethod
    def of(cls, error: OSError | MemoryError) -> MachineError:
        """The error for the user, from the interpreter's own."""
        number = getattr(error, "errno", None) or errno.ENOMEM
        where = f": {error.filename}" if isinstance(error, OSError) and error.filename else ""
        if where and number in _OF_A_FILE:
            return cls(f"{where[2:]} cannot be read or written ({os.strerror(number)})", _OF_A_FILE[number])
        remedy = remedy_of(number, "check the file's place and this machine's limits (ulimit -a)")
        if isinstance(error, OSError) and (error.strerror or "").startswith(_NO_TEMPORARY):
            return cls("no folder for temporary files can be written", "free /tmp, or set TMPDIR to another folder")
        if number == errno.ENOENT and not where and not _has_working_folder():
            return cls("the current folder is gone", "change to another one (cd)")
        return cls(f"this machine refuses something that is needed ({os.strerror(number)}{where})", remedy)


def _has_working_folder() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 -- only whether there is one
    except OSError:
        return False
    return True


class LibraryMissingError(UsageError, ImportError):
    """A package that the command itself needs cannot be loaded."""

    @classmethod
    def of(cls, error: ImportError) -> LibraryMissingError:
        """The error for the user, from the interpreter's own."""
        return cls(f"the library {error.name or 'of a package'} cannot be loaded", "reinstall Sealcam (make setup)")


class ArtifactError(UsageError):
    """A model is missing or is not the model that its manifest vouches for; it is not used."""


class ProvenanceError(ArtifactError):
    """The models are not signed by the trusted key, or are not what was signed."""


class IssueError(SealcamError, ValueError):
    """Our own side asked to issue or seal something that the format cannot carry. The sentence names the field."""

    exit_status = 2


class HostileInputError(SealcamError, ValueError):
    """The other side's bytes are not what they must be.

    Attributes:
        reason: a fixed word of [a-z_], for counters, verdict reasons and telemetry.
    """

    kind: ClassVar[str] = "the bytes are not what they must be"

    def __init__(self, reason: str) -> None:
        super().__init__(f"{self.kind} ({reason})")
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.reason,)


class NotOursError(HostileInputError):
    """The bytes do not even claim to be in a format of ours: some other QR code, some other publisher."""

    kind = "this is not in a format of Sealcam"


class MalformedError(HostileInputError):
    """The bytes claim to be ours and are not well formed: truncated, oversized, wrong types, not deterministic."""

    kind = "this claims to be in a format of Sealcam and is not well formed"


class ForgedError(HostileInputError):
    """Well formed, and the signature does not verify."""

    kind = "the signature is not good"


class UnknownKeyError(ForgedError):
    """Well formed, and the key that it names is not among the trusted keys."""

    kind = "the signing key is not a trusted one"


class SealBrokenError(HostileInputError):
    """An envelope does not decrypt under the topic, device and sequence that it came with."""

    kind = "the envelope does not open under its topic, device and sequence"
