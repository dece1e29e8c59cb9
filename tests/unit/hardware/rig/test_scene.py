"""Which scenes a drive has, what their codes say, and what the register holds."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hardware.rig import codes, track
from hardware.rig.codes import Coded
from hardware.rig.errors import UnknownSceneError
from hardware.rig.scene import RECIPES, SPACING_M, Scene, plan
from wire import signcode
from wire.errors import HostileInputError
from wire.register import RegisterEntry

NOW = 1_770_000_000
KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
TRUSTED = {signcode.key_id(KEY.public_key()): KEY.public_key()}
ROAD = track.Track(49.0, 10.0, 30.0)


def _scene(name: str, seed: int = 3) -> Scene:
    return plan(seed, [name])[0]


def _coded(scene: Scene, seed: int = 3) -> tuple[Coded, list[RegisterEntry]]:
    return codes.code_of(scene, ROAD, NOW, KEY, random.Random(seed))


def _claims(code: Coded) -> signcode.SignClaims:
    assert code.text is not None
    return signcode.verify(code.text.encode(), TRUSTED)[0]


def _metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return 111_320 * (((a[0] - b[0]) ** 2 + ((a[1] - b[1]) * 0.656) ** 2) ** 0.5)


def test_the_same_seed_gives_the_same_drive() -> None:
    assert plan(5) == plan(5)


def test_seeds_vary_order_and_classes() -> None:
    plans = [plan(seed) for seed in range(8)]
    assert len({tuple(scene.name for scene in scenes) for scenes in plans}) > 4
    assert len({scene.class_id for scenes in plans for scene in scenes if scene.name == "stickered"}) > 2


def test_every_scene_is_met_once_and_fifty_metres_after_the_one_before() -> None:
    scenes = plan(1)
    assert Counter(scene.name for scene in scenes) == Counter(RECIPES.keys())
    assert [scene.z for scene in scenes] == [SPACING_M * (index + 1) for index in range(len(RECIPES))]


@pytest.mark.parametrize("names", [["nonsense"], ["honest", "honest"]])
def test_unknown_and_repeated_scenes_are_refused(names: list[str]) -> None:
    with pytest.raises(UnknownSceneError):
        plan(1, names)


@pytest.mark.parametrize("name", ["honest", "stickered", "damaged", "covered"])
def test_an_own_code_is_authentic_in_force_and_in_its_place(name: str) -> None:
    scene = _scene(name)
    code, entries = _coded(scene)
    claims = _claims(code)
    assert claims.class_id == scene.class_id == code.class_id
    assert claims.valid_from < NOW < claims.valid_until
    assert _metres((claims.lat, claims.lon), ROAD.place(scene.z, scene.x)) < 2.0
    assert [entry.sign_id for entry in entries] == [claims.sign_id]


def test_a_forged_code_is_refused_for_its_key_and_in_no_register() -> None:
    code, entries = _coded(_scene("forged"))
    assert code.text is not None
    with pytest.raises(HostileInputError):
        signcode.verify(code.text.encode(), TRUSTED)
    assert entries == []


def test_a_copied_code_is_authentic_and_of_a_sign_far_away() -> None:
    scene = _scene("copied")
    code, entries = _coded(scene)
    claims = _claims(code)
    assert _metres((claims.lat, claims.lon), ROAD.place(scene.z, scene.x)) > 500
    assert [entry.sign_id for entry in entries] == [claims.sign_id]


def test_an_expired_code_was_in_force_once() -> None:
    claims = _claims(_coded(_scene("expired"))[0])
    assert claims.valid_from < claims.valid_until < NOW


def test_a_removed_sign_is_in_the_register_and_shows_nothing() -> None:
    code, entries = _coded(_scene("removed"))
    assert code.text is None
    assert len(entries) == 1


def test_an_uncoded_sign_is_in_no_register() -> None:
    assert _coded(_scene("uncoded")) == (Coded(None, None), [])


def test_hostile_payloads_vary_and_none_is_a_sign_code() -> None:
    scene = _scene("hostile_payload")
    texts = {_coded(scene, seed)[0].text for seed in range(40)}
    assert len(texts) > 6
    for text in texts:
        assert text is not None
        with pytest.raises(HostileInputError):
            signcode.verify(text.encode(), TRUSTED)
