"""The kinds of sign that are none of the 43 classes, as a table: outline, colours and what stands on them.

Signs abroad that look like one of the 43 and say the same (the octagon STOP, a speed limit 50, no entry, give way)
are left out: to read them as that class is right.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.signs.pictograms import END_BAND
from hardware.signs.shapes import BLACK, BLUE, GREEN, GREY, RED, WHITE, YELLOW, Colour, coloured
from models.pictures.foreign.contents import (
    Content,
    blot,
    both,
    characters,
    fixed,
    inked,
    number,
    picture,
    random_text,
    words,
)
from models.pictures.foreign.faces import (
    BANNED,
    BAR,
    BLACK_CROSS,
    CROSS,
    CROSSED,
    DARK,
    DEAD_END,
    DIAMOND,
    DISC,
    END,
    GREYS,
    HEXAGON,
    LIT,
    OCTAGON,
    PENTAGON,
    POINTER,
    RINGS,
    SHIELD,
    SLASH,
    SQUARE,
    STOP_AHEAD,
    TENT,
    TRIANGLE,
    TURNED_TRIANGLE,
    ZONE,
    Kind,
    back,
    chevrons,
    clock,
    lamps,
    spokes,
    stripes,
)

BROWN: Colour = (120, 70, 35)
ORANGE: Colour = (240, 130, 30)
LIME: Colour = (200, 225, 40)
LIGHT: Colour = (180, 182, 185)
_PAPER: Colour = (245, 245, 245)  # a white that is not replaced by the ground's colour
_PAINTS = (RED, BLUE, GREEN, YELLOW, WHITE, BLACK, ORANGE, BROWN)

_RED_RIM = ((WHITE, 1.0), (RED, 0.98))
_WHITE_RIM = ((WHITE, 1.0),)
_EDGED = ((BLACK, 0.98),)

_VEHICLES = ("car", "motorcycle", "tractor", "bus", "cart", "rider", "bicycle", "walker")
_DANGERS = ("tram", "locomotive", "fence", "windsock", "rocks", "quay", "aircraft", "two ways", "tunnel", "circle")
_MORE_DANGERS = ("cow", "rider", "sheep", "queue", "bridge", "tractor", "crossroads", "give way", "boat")
_SERVICES = ("fuel", "telephone", "bed", "cup", "cross", "house", "tree", "camera")

_SLOPES = both((words("8%", "10%", "12%", "15%"), 0.0, -0.1, 0.7), (picture("slope"), 0.0, 0.1, 0.9))
_HEIGHT = both((words("2,8m", "3,5m", "3,8m", "4m", "4,2"), 0.0, 0.0, 0.85), (picture("high"), 0.0, 0.0, 1.1))
_WIDTH = both((words("2m", "2,3m", "2,5m", "3m"), 0.0, 0.0, 0.6), (picture("wide"), 0.0, 0.0, 1.1))
_RED_DOWN = inked(picture("down", flip=False), RED)
_ONCOMING = both((_RED_DOWN, -0.4, 0.0, 0.9), (picture("up", flip=False), 0.4, 0.0, 1.0))
_WE_FIRST = both((inked(picture("up"), _PAPER), 0.4, 0.0, 1.0), (_RED_DOWN, -0.4, 0.0, 0.9))
_IN_TENT = both((fixed(coloured(TENT, _PAPER)), 0.0, 0.0, 1.1), (picture("walker"), 0.0, 0.2, 0.6))
_IN_YELLOW_TENT = both((fixed(coloured(TENT, YELLOW)), 0.0, 0.0, 1.1), (picture("walker"), 0.0, 0.2, 0.6))

_PICTURED = (11, *range(18, 32))
_COLOURED = (*range(6), *range(7, 32), *range(33, 41))


def _half_turn(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return face[::-1, ::-1]


def _quarter_turn(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.rot90(face)


def _mirror(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return face[:, ::-1]


def _red_to_green(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return face[:, :, (1, 0, 2, 3)]


def _red_to_blue(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return face[:, :, (2, 1, 0, 3)]


def _ring(name: str, system: str, *contents: Content, **more: Any) -> Kind:
    """A disc with a red rim."""
    return Kind(name, system, DISC, **{"contents": contents, "rims": _RED_RIM, "inside": 0.78, **more})


# fmt: off
KINDS: tuple[Kind, ...] = (
    # Round, red rim
    _ring("other limit", "Vienna", number(5, 10, 25, 40, 65, 75, 90, 110, 130)),
    _ring("other limit, rest", "Vienna", number(15, 35, 45, 55), held_out=True),
    _ring("limit with unit", "UK, Ireland, overseas", number(15, 25, 40, 45, 65, 75, below="mph")),
    _ring("limit in km", "Ireland, Canada", number(5, 10, 40, 90, 110, below="km")),
    _ring("blue limit", "Japan", number(10, 40, 90), inks=(BLUE,), held_out=True),
    _ring("limit on yellow", "Sweden, Finland, Iceland", number(40, 90, 110, 10), grounds=(YELLOW,)),
    _ring("no vehicles of a kind", "Vienna", picture(*_VEHICLES)),
    _ring("no, with a slash", "Vienna, China", picture(*_VEHICLES, "horn", "hand"), over=SLASH),
    _ring("no turn", "Vienna, China", picture("turn", "fork", "both sides"), over=SLASH),
    _ring("no u-turn", "Vienna, China", picture("u-turn"), over=SLASH, held_out=True),
    _ring("no, yellow ground", "Sweden, Finland", picture(*_VEHICLES), grounds=(YELLOW,), over=SLASH),
    _ring("weight", "Vienna", words("5,5t", "7,5t", "3,5t", "16t", "12t", "2,8t", "10t")),
    _ring("height", "Vienna", _HEIGHT),
    _ring("width", "Vienna", _WIDTH, held_out=True),
    _ring("oncoming first", "Vienna", _ONCOMING),
    _ring("customs", "Vienna", words("ZOLL/ /DOUANE", "POLICE/ /HALT", "TULL/ /CUSTOMS", "HALT/ /PEAGE"), over=BAR),
    _ring("characters in a ring", "China, Japan", characters(1), characters(2)),
    _ring("blot in a ring", "made up", blot, held_out=True),
    _ring("ring of another colour", "made up", number(30, 50, 40, 90), picture(*_VEHICLES), rims=((GREEN, 1.0),)),
    Kind("no stopping", "Vienna", DISC, (BLUE,), rims=_RED_RIM, inside=0.8, over=CROSSED),
    Kind("no parking", "Vienna", DISC, (BLUE,), rims=_RED_RIM, inside=0.8, over=SLASH),
    Kind("no parking, text", "China, Latin America", DISC, (WHITE,), (words("P", "E"),), rims=_RED_RIM, inside=0.8,
         over=SLASH, held_out=True),
    # Round, blue and others
    Kind("least speed", "Vienna", DISC, (BLUE,), (number(20, 30, 40, 50, 60, 70, 80, 90, 100, 110),), (WHITE,),
         rims=_WHITE_RIM, inside=0.96),
    Kind("path", "Vienna", DISC, (BLUE,), (picture("bicycle", "walker", "rider"),), (WHITE,), rims=_WHITE_RIM,
         inside=0.96),
    Kind("shared path", "Vienna", DISC, (BLUE,), (picture("path", "walkers"),), (WHITE,), rims=_WHITE_RIM, inside=0.96),
    Kind("must, other", "Vienna, China", DISC, (BLUE,), (picture("chains", "horn", "car", "motorcycle", "split"),),
         (WHITE,), rims=_WHITE_RIM, inside=0.96),
    Kind("lane for buses", "Vienna", DISC, (BLUE,), (picture("bus", "tram"), words("BUS")), (WHITE,), rims=_WHITE_RIM,
         inside=0.96, held_out=True),
    Kind("u-turn here", "China", DISC, (BLUE,), (picture("u-turn"),), (WHITE,), held_out=True),
    Kind("end of must", "Vienna", DISC, (BLUE,), (number(30, 50, 60), picture("bicycle", "walker", "path")), (WHITE,),
         over=END),
    Kind("end of another limit", "Vienna", DISC, (WHITE,), (number(10, 30, 40, 50, 70, 100, 120, 130),), (GREY, BLACK),
         rims=((GREY, 1.0),), inside=0.95, over=END_BAND),
    Kind("end of another ban", "Vienna, China", DISC, (WHITE,), (picture("bicycle", "tractor", "horn", "bus"),
         words("P")), (GREY,), rims=((BLACK, 1.0),), inside=0.93, over=END_BAND, held_out=True),
    Kind("stop of buses", "Germany", DISC, (YELLOW,), (words("H"),), (GREEN,), rims=((GREEN, 1.0),), inside=0.85),
    Kind("railway ahead", "US", DISC, (YELLOW,), (words("R R"),), rims=((BLACK, 0.98),), inside=0.9, over=BLACK_CROSS),
    Kind("green disc", "Japan, US", DISC, (GREEN,), (picture("bicycle", "split", "both sides"), characters(1)),
         (WHITE,)),
    # Triangles
    Kind("other danger", "Vienna", TRIANGLE, (WHITE,), (picture(*_DANGERS),), rims=_RED_RIM, inside=0.7),
    Kind("more danger", "Vienna", TRIANGLE, (WHITE,), (picture(*_MORE_DANGERS),), rims=_RED_RIM, inside=0.7,
         held_out=True),
    Kind("slope", "Vienna", TRIANGLE, (WHITE,), (_SLOPES,), rims=_RED_RIM, inside=0.7),
    Kind("danger on yellow", "Sweden, Finland, Poland", TRIANGLE, (YELLOW,), (picture(*_DANGERS, *_MORE_DANGERS),
         _SLOPES), rims=((YELLOW, 1.0), (RED, 0.96)), inside=0.7),
    Kind("black-rimmed danger", "China", TRIANGLE, (YELLOW,), (picture(*_DANGERS, *_MORE_DANGERS), characters(2)),
         rims=((YELLOW, 1.0), (BLACK, 0.94)), inside=0.78),
    Kind("black-rimmed turn", "China", TRIANGLE, (YELLOW,), (picture("turn", "fork", "merge"), blot), rims=((YELLOW,
         1.0), (BLACK, 0.94)), inside=0.78, held_out=True),
    Kind("red stop", "Japan", TURNED_TRIANGLE, (RED,), (characters(2), characters(3)), (WHITE,), rims=((WHITE, 1.0),
         (RED, 0.97), (WHITE, 0.93)), inside=0.89),
    Kind("text, point down", "Latin America, Africa", TURNED_TRIANGLE, (YELLOW, BLUE, GREEN), (random_text(1, 6),
         blot)),
    # Diamonds, pentagons, octagons; a yellow diamond far away is easily taken for "priority road"
    Kind("diamond, arrows", "US, Australia", DIAMOND, (YELLOW,), (picture("turn", "u-turn", "fork", "merge", "split",
         "two ways", "circle"),), rims=_EDGED, inside=0.93, often=4),
    Kind("diamond, picture", "US, Ireland", DIAMOND, (YELLOW, LIME), (picture("walker", "walkers", "bicycle", "cow",
         "tractor", "rider", "bus", "car"),), rims=_EDGED, inside=0.93, often=4),
    Kind("diamond, rest", "US", DIAMOND, (YELLOW,), (picture("crossroads", "dead end", "sheep", "both sides", "lamps"),
         blot), rims=_EDGED, inside=0.93, held_out=True),
    Kind("diamond, text", "US", DIAMOND, (YELLOW,), (words("DEAD/END", "NO/OUTLET", "BUMP", "DIP", "SLOW",
         "RIGHT/LANE/ENDS", "35/MPH", "YIELD/AHEAD"),), rims=_EDGED, inside=0.93, often=4),
    Kind("diamond, too far to read", "US, Australia", DIAMOND, (YELLOW, YELLOW, YELLOW, LIME, ORANGE), often=8),
    Kind("diamond, faded", "US, Australia", DIAMOND, (YELLOW,), (picture("turn", "fork", "merge", "walker", "car"),
         blot), inks=((160, 125, 45), (130, 115, 60)), often=2),
    Kind("stop ahead", "US", DIAMOND, (YELLOW,), over=STOP_AHEAD, rims=_EDGED, inside=0.93, often=4),
    Kind("works, diamond", "US, Ireland", DIAMOND, (ORANGE,), (words("ROAD/WORK/AHEAD", "DETOUR", "ONE/LANE",
         "FLAG/GER"), picture("walker", "merge", "hand")), rims=_EDGED, inside=0.93),
    Kind("school", "US", PENTAGON, (YELLOW, LIME), (picture("walkers", "walker"), words("SCHOOL")), rims=_EDGED,
         inside=0.94),
    Kind("pentagon, blue", "US counties", PENTAGON, (BLUE, GREEN), (random_text(2, 6), number(12, 74, 405)), (YELLOW,
         WHITE), held_out=True),
    Kind("octagon, other", "made up", OCTAGON, (BLUE, YELLOW, WHITE, GREEN, ORANGE), (random_text(1, 5),
         picture("hand"), blot), inks=(BLACK, WHITE, RED)),
    Kind("hexagon", "Japan prefectures", HEXAGON, (BLUE,), (characters(2), number(12, 74, 405)), (WHITE,),
         held_out=True),
    Kind("shield", "US", SHIELD, (BLUE, WHITE, BLACK), (number(5, 10, 66, 80, 95, 101, 280),), (WHITE, RED, BLUE),
         rims=((WHITE, 1.0),), inside=0.93),
    Kind("crossbuck", "Vienna, US", CROSS, (WHITE,), (words("X", " "),), rims=((RED, 1.0),), inside=0.82, aspect=(0.6,
         1.6)),
    # White, black and red boards
    Kind("speed limit, board", "US", SQUARE, (WHITE,), (both((words("SPEED/LIMIT"), 0.0, -0.45, 0.55), (number(25, 30,
         35, 45, 50, 55, 65, 70), 0.0, 0.45, 0.75)),), rims=_EDGED, inside=0.95, aspect=(0.75, 0.85)),
    Kind("text board", "US", SQUARE, (WHITE,), (words("DO NOT/PASS", "KEEP/RIGHT", "NO/PARKING/ANY/TIME",
         "NO TURN/ON RED", "LEFT LANE/MUST/TURN LEFT"),), (BLACK, RED, GREEN), rims=_EDGED, inside=0.95, aspect=(0.7,
         1.1)),
    Kind("arrow board", "US, China", SQUARE, (WHITE, BLACK), (picture("turn", "u-turn", "fork", "split",
         "both sides"),), (BLACK, WHITE), rims=((BLACK, 1.0), (WHITE, 0.97)), inside=0.93, aspect=(0.75, 1.1),
         held_out=True),
    Kind("ban on a board", "US", SQUARE, (WHITE,), (picture("turn", "u-turn", "bicycle", "walker"),), over=BANNED),
    Kind("one way, black", "US", SQUARE, (BLACK,), (picture("long arrow"),), (WHITE,), aspect=(1.5, 3.0)),
    Kind("wrong way", "US", SQUARE, (RED,), (words("WRONG/WAY", "ROAD/CLOSED", "ALL WAY", "NO/ENTRANCE"),), (WHITE,),
         rims=_WHITE_RIM, inside=0.95, aspect=(1.2, 2.0)),
    Kind("environmental zone", "Germany", SQUARE, (WHITE,), (both((words("UMWELT"), 0.0, -0.15, 0.5), (words("ZONE"),
         0.0, 0.75, 0.6)),), over=ZONE, aspect=(0.65, 0.75)),
    Kind("plate below a sign", "Germany", SQUARE, (WHITE,), (words("800 m", "ANLIEGER/FREI", "7-17 h", "BEI/NASSE"),
         picture("bicycle", "car", "bus", "tractor")), rims=_EDGED, inside=0.95, aspect=(1.2, 2.2)),
    # Blue and green boards
    Kind("parking", "Vienna", SQUARE, (BLUE,), (words("P"), words("P/ZONE", "P/TAXI")), (WHITE,), rims=_WHITE_RIM,
         inside=0.95),
    Kind("crossing", "Vienna", SQUARE, (BLUE,), (_IN_TENT,), rims=_WHITE_RIM, inside=0.95),
    Kind("crossing on yellow", "Sweden", SQUARE, (BLUE,), (_IN_YELLOW_TENT,), held_out=True),
    Kind("one way, blue", "Vienna", SQUARE, (BLUE,), (picture("long arrow"), words("EINBAHN")), (WHITE,),
         rims=_WHITE_RIM, inside=0.94, aspect=(1.0, 3.0)),
    Kind("one way, upright", "Vienna, China", SQUARE, (BLUE,), (picture("up"),), (WHITE,), rims=_WHITE_RIM,
         inside=0.94),
    Kind("dead end", "Vienna", SQUARE, (BLUE,), over=DEAD_END, rims=_WHITE_RIM, inside=0.95),
    Kind("motorway", "Vienna", SQUARE, (BLUE, GREEN), (picture("motorway", "car", "tunnel"),), (WHITE,),
         rims=_WHITE_RIM, inside=0.95),
    Kind("end of motorway", "Vienna", SQUARE, (BLUE, GREEN), (picture("motorway", "car"), words("P")), (WHITE,),
         over=END, held_out=True),
    Kind("we go first", "Vienna", SQUARE, (BLUE,), (_WE_FIRST,), rims=_WHITE_RIM, inside=0.95),
    Kind("services", "Vienna, US", SQUARE, (BLUE, BROWN), (picture(*_SERVICES),), (WHITE,), aspect=(0.65, 1.0)),
    Kind("services on white", "Vienna", SQUARE, (WHITE,), (picture(*_SERVICES),), (BLACK, RED), rims=((BLUE, 1.0),),
         inside=0.7, held_out=True),
    Kind("play street", "Vienna", SQUARE, (BLUE,), (both((picture("house"), -0.4, 0.0, 0.5), (picture("walkers"), 0.4,
         0.1, 0.6), (picture("car"), 0.3, 0.7, 0.3)),), (WHITE,), aspect=(1.0, 1.6)),
    Kind("guide board", "all", SQUARE, (BLUE, GREEN, YELLOW, WHITE), (random_text(2, 9), random_text(3, 9),
         random_text(1, 8)), (WHITE, BLACK), rims=_WHITE_RIM, inside=0.96, aspect=(1.0, 3.0)),
    Kind("guide board, characters", "China, Japan", SQUARE, (BLUE, GREEN), (characters(3), characters(4)), (WHITE,),
         aspect=(1.0, 2.5), held_out=True),
    Kind("pointer", "Vienna", POINTER, (YELLOW, WHITE, BLUE, GREEN), (random_text(1, 8), random_text(2, 8)), (BLACK,
         WHITE), aspect=(2.0, 4.0)),
    Kind("town", "Germany, Belgium", SQUARE, (YELLOW,), (random_text(1, 9), random_text(2, 9)), rims=_EDGED,
         inside=0.96, aspect=(1.3, 2.2)),
    Kind("tourist board", "all", SQUARE, (BROWN,), (both((picture("tree", "house", "bed"), 0.0, -0.35, 0.6),
         (random_text(1, 8), 0.0, 0.6, 0.6)), random_text(2, 8)), (WHITE,), rims=_WHITE_RIM, inside=0.95, aspect=(1.0,
         2.2)),
    Kind("distance beacon", "Vienna", SQUARE, (WHITE, BLUE), over=stripes(RED, 1), aspect=(0.3, 0.5)),
    # Stripes
    Kind("beacon", "Vienna", SQUARE, (WHITE,), over=stripes(RED, 4), aspect=(0.25, 0.5)),
    Kind("barrier", "Vienna", SQUARE, (WHITE,), over=stripes(RED, 5), aspect=(2.0, 5.0), held_out=True),
    Kind("object marker", "US", SQUARE, (YELLOW,), over=stripes(BLACK, 4), aspect=(0.3, 0.6)),
    Kind("chevrons", "Vienna, US", SQUARE, (WHITE, YELLOW), over=chevrons(RED), aspect=(0.7, 3.0)),
    Kind("chevrons, black", "US, China", SQUARE, (YELLOW, WHITE), over=chevrons(BLACK), aspect=(0.7, 3.0)),
    # What is round or square beside a road and is no sign
    Kind("signal head", "all", SQUARE, ((30, 32, 34), (60, 66, 60)), over=lamps(LIT), aspect=(0.35, 0.5)),
    Kind("signal head, dark", "all", SQUARE, ((30, 32, 34), YELLOW), over=lamps(DARK), aspect=(0.35, 0.5),
         held_out=True),
    Kind("advert", "all", DISC, _PAINTS, (random_text(1, 6), random_text(2, 5), blot), _PAINTS, rims=((WHITE, 1.0),),
         inside=0.9),
    Kind("advert, square", "all", SQUARE, _PAINTS, (random_text(2, 8), blot, picture("face", *_SERVICES)), _PAINTS,
         aspect=(0.6, 2.5), held_out=True),
    Kind("number plate", "all", SQUARE, (WHITE, YELLOW), (random_text(1, 8, "ABCDEFGHKLMNPRSTUVXYZ0123456789"),),
         rims=_EDGED, inside=0.96, aspect=(2.5, 4.7)),
    Kind("house number", "all", SQUARE, (BLUE, WHITE), (number(1, 4, 7, 12, 19, 23, 48, 114),), (WHITE, BLACK),
         rims=_WHITE_RIM, inside=0.9),
    Kind("wheel", "all", DISC, (LIGHT, (150, 150, 152)), over=spokes(5), rims=(((26, 26, 28), 1.0),), inside=0.72),
    Kind("hub cap", "all", DISC, ((150, 150, 152),), over=spokes(9), rims=(((40, 40, 44), 1.0),), inside=0.85,
         held_out=True),
    Kind("clock", "all", DISC, (WHITE,), over=clock(), rims=((BLACK, 1.0), (LIGHT, 0.95)), inside=0.85),
    Kind("back of a disc", "all", DISC, GREYS, over=back()),
    Kind("back of a triangle", "all", TRIANGLE, GREYS, over=back()),
    Kind("back of a give way", "all", TURNED_TRIANGLE, GREYS, over=back()),
    Kind("back of an octagon", "all", OCTAGON, GREYS, over=back(), held_out=True),
    Kind("back of a diamond", "all", DIAMOND, GREYS, over=back(), held_out=True),
    Kind("plain disc", "made up", DISC, (RED, BLUE, GREEN, YELLOW, BLACK, ORANGE), rims=_WHITE_RIM, inside=0.96),
    Kind("plain square", "made up", SQUARE, (RED, BLUE, GREEN, YELLOW, WHITE, ORANGE), aspect=(0.5, 2.0)),
    Kind("target", "made up", DISC, (RED, BLUE, BLACK), over=RINGS, held_out=True),
    # The 43, changed into something else
    Kind("triangle on its head", "changed", classes=_PICTURED, change=_half_turn),
    Kind("triangle on its side", "changed", classes=_PICTURED, change=_quarter_turn, held_out=True),
    Kind("mirrored number", "changed", classes=(0, 1, 2, 4, 7, 8), change=_mirror),
    Kind("mirrored end", "changed", classes=(6, 32, 41, 42), change=_mirror),
    Kind("red and green changed", "changed", classes=_COLOURED, change=_red_to_green),
    Kind("red and blue changed", "changed", classes=_COLOURED, change=_red_to_blue, held_out=True),
)
# fmt: on
