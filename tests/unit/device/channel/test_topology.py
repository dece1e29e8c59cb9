"""Links stand in two policies, once from each side: where the two do not agree, nothing starts."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
import pytest

from device.channel import topology
from device.channel.messages import BY_TAG, FrameDone, FrameReady, Health, StreamEnd, Verdict
from device.confine import policy as policies
from device.confine.errors import PolicyError
from device.confine.policy import LinkEnd, Permit, Policy
from tests.support.paths import ROOT
from wire.vocabulary import COMPARTMENTS

Change = Callable[[Policy], Policy]


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Change], None]:
    """Has one compartment's policy read as if it were changed."""
    read = policies.load

    def apply(name: str, how: Change) -> None:
        monkeypatch.setattr(topology.policies, "load", lambda asked: how(read(asked)) if asked == name else read(asked))
        topology.links.cache_clear()

    return apply


@pytest.fixture(autouse=True)
def _forget() -> None:
    topology.links.cache_clear()


def with_link(policy: Policy, peer: str, how: Callable[[LinkEnd], LinkEnd | None]) -> Policy:
    changed = [how(link) if link.peer == peer else link for link in policy.links]
    return msgspec.structs.replace(policy, links=[link for link in changed if link is not None])


def test_every_link_is_found_once_and_both_ends_are_named() -> None:
    pairs = [{link.first, link.second} for link in topology.links()]
    assert len(pairs) == len({frozenset(pair) for pair in pairs})
    ends = {(link.first, link.first_end) for link in topology.links()}
    assert {("sealer", "health"), ("perception", "recorder"), ("uplink", "dialer")} <= ends


@pytest.mark.parametrize("name", COMPARTMENTS)
def test_a_compartment_mentions_each_message_that_comes_in(name: str) -> None:
    """A link that is never served goes unnoticed while it runs: its messages wait in the kernel until it is full."""
    sources = [*(ROOT / "device" / name).glob("*.py"), ROOT / "device" / "channel" / "frames.py"]
    mentioned = set(re.findall(r"\w+", " ".join(source.read_text("utf-8") for source in sources)))
    coming = {BY_TAG[tag].__name__ for link in policies.load(name).links for tag in link.receives}
    assert coming - mentioned == set(), f"device/{name} handles none of these, which its policy lets come in"


def test_nobody_talks_to_anybody_that_the_design_does_not_name() -> None:
    pairs = {frozenset({link.first, link.second}) for link in topology.links()}
    assert pairs == {
        frozenset(pair)
        for pair in (
            ("capture", "perception"), ("capture", "codes"), ("perception", "codes"), ("perception", "verdict"),
            ("codes", "verdict"), ("position", "verdict"), ("verdict", "indicator"), ("verdict", "sealer"),
            ("sealer", "uplink"), ("uplink", "dialer"), ("sealer", "warden"),
            ("perception", "recorder"), ("codes", "recorder"), ("verdict", "recorder"),
        )
    }  # fmt: skip


def test_an_end_has_the_types_that_its_policy_names() -> None:
    end = topology.end_of(policies.load("capture"), "codes")
    assert (set(end.receives), set(end.sends)) == ({FrameDone}, {FrameReady, StreamEnd})
    assert topology.sent("verdict", "sealer") == (Verdict, Health)


def test_every_message_that_crosses_a_link_is_in_some_policy() -> None:
    named = {
        tag for name in COMPARTMENTS for link in policies.load(name).links for tag in (*link.sends, *link.receives)
    }
    control = {"ready", "go", "beat", "stop", "done", "failed"}
    assert named | control == set(BY_TAG)


def test_an_end_that_the_policy_does_not_have_is_refused() -> None:
    with pytest.raises(PolicyError, match="no link sealer"):
        topology.end_of(policies.load("codes"), "sealer")


def test_a_link_without_its_other_side_is_refused(change: Callable[[str, Change], None]) -> None:
    change("codes", lambda policy: with_link(policy, "capture", lambda link: None))
    with pytest.raises(PolicyError, match="no link back"):
        topology.links()


def test_a_message_that_the_other_side_does_not_send_is_refused(change: Callable[[str, Change], None]) -> None:
    more = {"verdict": Permit(["running"])}
    change("codes", lambda p: with_link(p, "capture", lambda e: msgspec.structs.replace(e, receives=e.receives | more)))
    with pytest.raises(PolicyError, match="do not agree"):
        topology.links()


def test_a_message_that_the_other_side_does_not_take_is_refused(change: Callable[[str, Change], None]) -> None:
    change("codes", lambda p: with_link(p, "verdict", lambda e: msgspec.structs.replace(e, sends=[*e.sends, "fix"])))
    with pytest.raises(PolicyError, match="do not agree"):
        topology.links()


def test_a_message_that_does_not_exist_is_refused() -> None:
    policy = with_link(policies.load("codes"), "verdict", lambda e: msgspec.structs.replace(e, sends=["gossip"]))
    with pytest.raises(PolicyError, match="gossip"):
        topology.end_of(policy, "verdict")


def test_the_recorder_says_nothing(change: Callable[[str, Change], None]) -> None:
    more = {"stop": Permit(["running"])}
    change("verdict", lambda p: with_link(p, "recorder", lambda e: msgspec.structs.replace(e, receives=more)))
    with pytest.raises(PolicyError, match="sends none"):
        topology.links()


def test_a_phase_that_does_not_exist_is_refused() -> None:
    text = (policies.Path(policies.__file__).parent.parent / "codes" / "policy.toml").read_text()
    with pytest.raises(PolicyError):
        policies.parse(text.replace('["running"]', '["sleeping"]', 1), "codes")
    with pytest.raises(PolicyError):
        policies.parse(text.replace('["running"]', "[]", 1), "codes")


def test_peers_are_those_that_share_a_link_and_never_warden() -> None:
    assert topology.peers("sealer") == {"verdict", "uplink"}
    assert topology.peers("position") == {"verdict"}
