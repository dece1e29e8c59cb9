"""What a drive consists of: the scenes, the sign class of each, and the expected verdict."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from hardware.rig.errors import UnknownSceneError
from wire.vocabulary import StateName

FaceKind: TypeAlias = Literal["plain", "stickered", "covered", "none"]
CodeKind: TypeAlias = Literal["own", "foreign_key", "of_another_sign", "expired", "damaged", "hostile", "none"]


@dataclass(frozen=True)
class Recipe:
    """One scene: what the face shows, which code hangs under it, whether the register knows the sign."""

    face: FaceKind
    code: CodeKind
    registered: bool
    expected: StateName
    believed: bool  # whether a class may be acted on
    note: str


RECIPES: dict[str, Recipe] = {
    "honest": Recipe("plain", "own", True, "VERIFIED", True, "a sign with its own authentic code"),
    "stickered": Recipe("stickered", "own", True, "CONTRADICTED", True, "a sticker makes perception see another class"),
    "forged": Recipe("plain", "foreign_key", False, "FORGED", False, "a valid form, signed by a key of no authority"),
    "copied": Recipe("plain", "of_another_sign", False, "MISPLACED", False, "the code of a sign elsewhere, copied"),
    "expired": Recipe("plain", "expired", True, "MISPLACED", False, "an authentic code whose time has passed"),
    "damaged": Recipe("plain", "damaged", True, "DAMAGED", False, "a code painted over that can still be read"),
    "uncoded": Recipe("plain", "none", False, "UNVERIFIED", True, "a sign without a code, in no register"),
    "removed": Recipe("none", "none", True, "MISSING", True, "registered, and nothing stands there"),
    "covered": Recipe("covered", "own", True, "CODE_ONLY", True, "a bag over the face, the code can be seen"),
    "hostile_payload": Recipe("plain", "hostile", False, "FORGED", False, "a code made to attack its reader"),
}

# Signs that are dangerous to disobey, and signs that commonly stand alone on a road outside a town.
SAFETY_RELEVANT = (1, 2, 3, 4, 5, 9, 14, 17, 38)
COMMON = (0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 25, 26, 33, 34, 35, 38, 39, 40)

SPACING_M = 50.0
SEEN_FROM_M = 45.0
FACE_M = 0.75
FACE_HEIGHT_M = 2.2
PANEL_M = 0.9


@dataclass(frozen=True)
class Scene:
    """One approach of a drive. `z` is metres along the road, `x` metres to its right, `yaw` degrees."""

    name: str
    recipe: Recipe
    class_id: int
    z: float
    x: float
    yaw: float


def plan(seed: int, names: Sequence[str] = ()) -> list[Scene]:
    """The scenes of a drive in the order in which they are met; the same for the same seed.

    Args:
        seed: any integer.
        names: the wanted scenes of `RECIPES`; all if empty.

    Raises:
        UnknownSceneError: a name is not in `RECIPES`, or is there twice.
    """
    for name in names:
        if name not in RECIPES:
            raise UnknownSceneError(f"there is no scene {name!r}", f"choose of {', '.join(RECIPES)}")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UnknownSceneError(f"the scene {twice!r} is named twice", "name each once")
    rng = random.Random(seed)
    order = sorted(RECIPES)
    rng.shuffle(order)
    scenes: list[Scene] = []
    last = -1
    for name in order:
        classes = SAFETY_RELEVANT if name == "stickered" else COMMON
        class_id = rng.choice([c for c in classes if c != last])
        x, yaw = rng.uniform(2.25, 2.45), rng.uniform(-5.0, 5.0)
        last = class_id
        if names and name not in names:
            continue
        scenes.append(Scene(name, RECIPES[name], class_id, SPACING_M * (len(scenes) + 1), x, yaw))
    return scenes
