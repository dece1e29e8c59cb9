"""The policies' table: what each compartment may have, from `device/*/policy.toml`."""

from __future__ import annotations

from device.cli.reference import markdown
from device.confine import policy as policies
from device.confine.policy import STANDARD_DESCRIPTORS, Limits, Mount, NetworkAccess, Policy
from wire.vocabulary import COMPARTMENTS

_HEAD = ("compartment", "what it does", "network", "calls while starting", "calls while running", "mounts",
         "descriptors", "limits")  # fmt: skip


def table() -> str:
    """A row for each compartment, in the order of the flow. The name leads to the policy, where each reason stands."""
    return markdown.table(_HEAD, (_row(policies.load(name)) for name in COMPARTMENTS))


def _row(policy: Policy) -> tuple[str, ...]:
    start, run = policy.seccomp.start, policy.seccomp.run
    return (
        f"[`{policy.compartment}`](../device/{policy.compartment}/policy.toml)",
        policy.does,
        _network(policy.network),
        markdown.code(dict.fromkeys([*start, *run])),  # the start filter holds the run groups too
        markdown.code(run) if policy.compartment != "warden" else "the same: it keeps its one filter",
        ", ".join(_mount(mount) for mount in policy.mounts) or "the machine's files",
        _descriptors(policy),
        _limits(policy.limits),
    )


def _descriptors(policy: Policy) -> str:
    if policy.compartment == "warden":  # started by the command itself, without the standard descriptors
        return "its plan, its link to the command, and ends of others' links to the command and to `dialer`"
    ends = [link.end for link in policy.links]
    return markdown.code([*STANDARD_DESCRIPTORS, *ends, *(given.name for given in policy.descriptors)])


def _network(network: NetworkAccess) -> str:
    return f"the machine's. {network.why}" if network.host else "none"


def _mount(mount: Mount) -> str:
    kinds = {"writable": mount.writable, "device": mount.device, "optional": mount.optional, "in memory": mount.scratch}
    marks = [kind for kind, holds in kinds.items() if holds]
    return f"`{mount.path}`" + (f" ({', '.join(marks)})" if marks else "")


def _limits(limits: Limits) -> str:
    files = f"files up to {limits.file_size_mib} MiB" if limits.file_size_mib else "no file may grow"
    return f"{limits.address_space_mib} MiB of addresses, {limits.open_files} open files, {files}"
