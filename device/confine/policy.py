"""The policy of one compartment, read from the one readable file beside its code (`policy.toml`).

Every layer is derived from this and nothing else: the mounts and namespaces, the two seccomp filters, the resource
limits, the descriptors. Each privilege carries its reason; a privilege without a reason is refused.
"""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from device.confine.errors import PolicyError
from wire.vocabulary import CompartmentName

Reason = Annotated[str, Meta(min_length=10, max_length=300)]
Layer = Literal["namespaces", "seccomp", "no_new_privs", "capabilities", "rlimits"]
REQUIRED_LAYERS: tuple[Layer, ...] = ("namespaces", "seccomp", "no_new_privs", "capabilities", "rlimits")


class Mount(Struct, frozen=True, forbid_unknown_fields=True):
    """One path inside the otherwise empty root. `path` is absolute, or `{name}`: paths of this run.

    `scratch`: not the machine's path, but an empty folder in memory that only this process has.
    """

    path: Annotated[str, Meta(pattern=r"^(/[^{}]+|\{[a-z_]+\})\Z")]
    why: Reason
    writable: bool = False
    device: bool = False
    optional: bool = False
    scratch: bool = False


Name = Annotated[str, Meta(pattern=r"^[a-z_]{1,24}\Z")]
Phase = Literal["starting", "ready", "running", "ending"]
"""Of the receiver: until it reports ready; until warden lets it go; until warden says Stop; and after that."""


class Permit(Struct, frozen=True, forbid_unknown_fields=True):
    """When a message may come (after the table of OpenSSH's monitor): `once`: at most once in the process's life.

    `per_second`, `burst`: how many may come in the long run, and at once; the receiver drops and counts what is more.
    Where nothing may be lost there is no rate: a receiver takes one message from each link in turn, so that a flood
    fills its sender's own queue.
    """

    during: Annotated[list[Phase], Meta(min_length=1, max_length=4)]
    once: bool = False
    per_second: Annotated[float, Meta(gt=0.0, le=1e6)] | None = None
    burst: Annotated[int, Meta(ge=1, le=100_000)] = 1


class LinkEnd(Struct, frozen=True, forbid_unknown_fields=True):
    """This end of one link: its peer, what goes out (message tags), and what may come in, and when.

    `name` is the descriptor's name; without it the peer's name is taken. The peer is a compartment, or `recorder`: the
    command that was started.
    """

    peer: Name
    why: Reason
    sends: list[Name] = []
    receives: dict[Name, Permit] = {}
    name: Name | None = None

    @property
    def end(self) -> str:
        """The descriptor's name."""
        return self.name or self.peer


class Descriptor(Struct, frozen=True, forbid_unknown_fields=True):
    """One descriptor that is handed over at start and is no link."""

    name: Name
    why: Reason


STANDARD_DESCRIPTORS = ("control", "filter", "settings")
"""Handed to every compartment: its link to the process that started it, its run filter, and its settings."""


class NetworkAccess(Struct, frozen=True, forbid_unknown_fields=True):
    """`host`: whether it shares the machine's network namespace. Otherwise it gets an empty namespace."""

    host: bool
    why: Reason


class Seccomp(Struct, frozen=True, forbid_unknown_fields=True):
    """Groups of `syscalls.toml` that are allowed while starting and, after the compartment tightens itself, running."""

    start: Annotated[list[str], Meta(min_length=1)]
    run: Annotated[list[str], Meta(min_length=1)]
    why: Reason


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Resource limits, setrlimit(2)."""

    address_space_mib: Annotated[int, Meta(ge=64, le=65536)]
    open_files: Annotated[int, Meta(ge=8, le=1024)]
    file_size_mib: Annotated[int, Meta(ge=0, le=65536)]


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """What one compartment may have. Nothing else exists for it."""

    compartment: CompartmentName
    does: Reason
    network: NetworkAccess
    seccomp: Seccomp
    limits: Limits
    links: list[LinkEnd] = []
    descriptors: list[Descriptor] = []
    mounts: list[Mount] = []

    def handed(self) -> set[str]:
        """The names of all descriptors that a compartment under this policy is given."""
        return {link.end for link in self.links} | {d.name for d in self.descriptors} | set(STANDARD_DESCRIPTORS)


def parse(text: str, origin: str) -> Policy:
    """TOML text -> policy. Raises PolicyError naming `origin` and the field."""
    try:
        return msgspec.convert(tomllib.loads(text), Policy, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PolicyError(f"the policy {origin} is not valid ({error})", "reinstall Sealcam (make setup)") from None


@functools.cache
def load(compartment: str) -> Policy:
    """The policy of a compartment, from `device/<compartment>/policy.toml`. Raises PolicyError."""
    path = Path(__file__).resolve().parent.parent / compartment / "policy.toml"
    try:
        policy = parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise PolicyError(
            f"the policy {path} cannot be read ({error.strerror})", "reinstall Sealcam (make setup)"
        ) from None
    if policy.compartment != compartment:
        raise PolicyError(
            f"the policy {path} is for {policy.compartment}, not {compartment}", "reinstall Sealcam (make setup)"
        )
    return policy
