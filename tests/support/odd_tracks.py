"""Tracks as loggers, phones, converters and accidents write them, each of one honest drive: north at 15 m/s, 90 s.

A kind is a name, the file's bytes, and what is to become of it: how many of the 91 points are used at the least, and
the reasons for which others may be left out; or words of the sentence that refuses it.
"""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tests.support.tracks import At, comma, drive, gga, gpx, log, rmc, sentence, trkpt

WHOLE = drive(90)
ALL = len(WHOLE)


@dataclass(frozen=True)
class Odd:
    """One file. `used`: at least so many points; `left`: the reasons that may be given; `says`: it is refused so."""

    name: str
    data: bytes
    used: int = ALL
    left: frozenset[str] = frozenset()
    says: str = ""


def odd_tracks() -> list[Odd]:
    """All kinds, the same each time."""
    return [*_gpx(), *_order(), *_numbers(), *_times(), *_encodings(), *_cut(), *_nmea(), *_nmea_logs(), *_kinds()]


def _odd(name: str, data: bytes | str, used: int = ALL, left: Sequence[str] = (), says: str = "") -> Odd:
    return Odd(name, data.encode() if isinstance(data, str) else data, used, frozenset(left), says)


def _refused(name: str, data: bytes | str, says: str) -> Odd:
    return _odd(name, data, 0, says=says)


def _but(every: int, **fields: object) -> list[At]:
    """The drive with each so-manieth point changed."""
    return [replace(at, **fields) if k % every == every - 1 else at for k, at in enumerate(WHOLE)]  # type: ignore[arg-type]


def _replaced(old: str, new: str, data: bytes | None = None) -> bytes:
    return (gpx(WHOLE) if data is None else data).replace(old.encode(), new.encode())


def _gpx() -> Iterator[Odd]:
    yield _odd("gpx 1.0", gpx(WHOLE, version="1.0"))
    yield _odd("gpx 1.1", gpx(WHOLE))
    yield _odd("a name prefix", gpx(WHOLE, prefix="ns2"))
    extra = (
        '<extensions><gpxtpx:TrackPointExtension xmlns:gpxtpx="x"><gpxtpx:speed>15</gpxtpx:speed>'
        "<time>1999-01-01T00:00:00Z</time></gpxtpx:TrackPointExtension></extensions>"
    )
    yield _odd("extensions with times of their own", gpx([replace(at, extra=extra) for at in WHOLE]))
    yield _odd("elevations and counts", gpx([replace(at, extra="<ele>-3.5</ele><sat>9</sat>") for at in WHOLE]))
    yield _odd("odd dilutions", gpx([replace(at, extra="<hdop>nan</hdop>") for at in WHOLE]))
    yield _odd("a metadata time", _replaced("<trk>", "<metadata><time>2001-01-01T00:00:00Z</time></metadata><trk>"))
    yield _odd("waypoints beside the track", _replaced("<trk>", "<wpt lat='1' lon='2'><time>x</time></wpt><trk>"))
    yield _odd("empty segments", gpx([], WHOLE, [], []))
    yield _odd(
        "a point without anything in it", _replaced("<trkseg>", '<trkseg><trkpt lat="48" lon="11"/>'), ALL, ["no_time"]
    )
    yield _odd(
        "comments and other parts", _replaced("<trk>", "<!-- a > b --><?x y?><trk><name><![CDATA[<trkpt]]></name>")
    )
    yield _odd(
        "a hundred tracks", gpx(*[WHOLE[k : k + 2] for k in range(0, ALL - 1, 2)], *[[] for _ in range(55)]), ALL - 1
    )
    yield _refused(
        "waypoints alone", "<gpx><wpt lat='48' lon='11'><time>2026-05-04T10:00:00Z</time></wpt></gpx>", "no track"
    )
    yield _refused("a route alone", "<gpx><rte><rtept lat='48' lon='11'/></rte></gpx>", "waypoints or a route")
    yield _refused("no point at all", gpx([]), "no track point")
    yield _refused("a document type", gpx(WHOLE, head="<!DOCTYPE gpx>"), "document type")


def _order() -> Iterator[Odd]:
    shuffled = random.Random(5).sample(WHOLE, ALL)
    yield _odd("shuffled points", gpx(shuffled))
    yield _odd("the newest first", gpx(WHOLE[::-1]))
    pieces = [WHOLE[k : k + 13] for k in range(0, ALL, 13)]
    yield _odd("segments out of order", gpx(*random.Random(6).sample(pieces, len(pieces))))
    yield _odd("points dealt to three segments", gpx(WHOLE[::3], WHOLE[1::3], WHOLE[2::3]))
    yield _odd("each point twice", gpx([at for at in WHOLE for _ in (0, 1)]), ALL, ["repeated"])
    yield _odd("the whole drive twice", gpx(WHOLE, WHOLE), ALL, ["repeated"])
    beside = [replace(at, second=at.second + 0.4, north=at.north + 6, east=3.0) for at in WHOLE]
    mixed = sorted([*WHOLE, *beside], key=lambda at: at.second)
    yield _odd("two receivers of one vehicle, mixed", gpx(mixed), ALL, ["repeated", "impossible", "alone"])
    yield _odd("two receivers of one vehicle, one after the other", gpx(WHOLE, beside))
    early, late = WHOLE[:40], [replace(at, east=1.0) for at in WHOLE[30:]]
    yield _odd("two recordings that overlap", gpx(early, late), ALL, ["repeated"])
    other = [replace(at, second=at.second + 0.5, north=9000.0 - at.north) for at in WHOLE]
    yield _refused("two vehicles in one file", gpx(WHOLE, other), "contradict each other")


def _numbers() -> Iterator[Odd]:
    def place(lat: str) -> bytes:
        some = {trkpt(at): trkpt(at).replace('lat="48.', f'lat="{lat}" x="') for at in WHOLE[4::9]}
        text = gpx(WHOLE).decode()
        for old, new in some.items():
            text = text.replace(old, new)
        return text.encode()

    for lat in ("91", "-91.5", "1e400", "nan", "inf", "", "-", "0x30"):
        yield _odd(f"latitudes that are {lat or 'empty'}", place(lat), ALL - 10, ["no_place", "not_degrees"])
    yield _odd("some decimal commas", place("48,1"), ALL - 10, ["decimal_comma"])
    yield _odd("some degrees and minutes", place("N48 12.3"), ALL - 10, ["not_degrees"])
    yield _odd("exponents", _replaced('lon="11.000000000"', 'lon="+1.1000e1"'))
    yield _refused("decimal commas", _replaced('lat="48.', 'lat="48,'), "decimal commas")
    yield _refused("degrees and minutes", _replaced('lat="48.', 'lat="N 48 0.'), "not in decimal degrees")
    yield _refused("degrees and minutes in one number", _replaced('lat="48.', 'lat="4800.'), "not in decimal degrees")
    yield _refused("a letter for the sign", _replaced('lon="11.000000000"', 'lon="11.0E"'), "not in decimal degrees")


def _times() -> Iterator[Odd]:
    def texts(make: Callable[[datetime], str]) -> bytes:
        return gpx([replace(at, text=make(datetime.fromtimestamp(at.utc_ms / 1000, UTC))) for at in WHOLE])

    yield _odd("milliseconds", texts(lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.000Z")))
    yield _odd("nanoseconds", texts(lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.000000000Z")))
    yield _odd("comma fractions", texts(lambda t: t.strftime("%Y-%m-%dT%H:%M:%S,000Z")))
    yield _odd("no zone", texts(lambda t: t.strftime("%Y-%m-%dT%H:%M:%S")))
    yield _odd("a blank for the T", texts(lambda t: t.strftime("%Y-%m-%d %H:%M:%SZ")))
    yield _odd("small letters", texts(lambda t: t.strftime("%Y-%m-%dt%H:%M:%Sz")))
    yield _odd("a zone", texts(lambda t: t.replace(hour=t.hour + 2).strftime("%Y-%m-%dT%H:%M:%S+02:00")))
    yield _odd("a zone without a colon", texts(lambda t: t.replace(hour=t.hour + 2).strftime("%Y-%m-%dT%H:%M:%S+0200")))
    yield _odd(
        "whole seconds at 10 Hz", gpx([replace(at, second=at.second // 1) for at in drive(90, 0.1)]), ALL, ["repeated"]
    )
    yield _odd("some leap seconds", gpx(_but(30, text="2026-05-04T10:00:60Z")), ALL - 3, ["no_time"])
    yield _odd("some points without a time", gpx(_but(10, text="")), ALL - 9, ["no_time"])
    yield _odd("some points of 1980", gpx(_but(10, text="1980-01-06T00:00:00Z")), ALL - 9, ["before_fix"])
    yield _odd(
        "some points of another year",
        gpx(_but(10, text="2016-05-04T10:00:00Z")),
        ALL - 9,
        ["alone", "repeated", "before_fix"],
    )
    yield _odd(
        "a cold start 1024 weeks ago",
        gpx([At(k - 1024 * 7 * 86_400, 0.0) for k in range(20)] + WHOLE),
        ALL,
        ["before_fix"],
    )
    yield _odd(
        "a clock that is set back",
        gpx([*WHOLE[:40], *(replace(at, second=at.second - 7) for at in WHOLE[40:])]),
        ALL - 7,
        ["repeated", "impossible", "alone"],
    )
    yield _refused("no times", gpx([replace(at, text="") for at in WHOLE]), "no time")
    yield _refused("unix times", texts(lambda t: str(int(t.timestamp()))), "no time")
    yield _refused("days alone", texts(lambda t: t.strftime("%Y-%m-%d")), "no time")


def _encodings() -> Iterator[Odd]:
    text = gpx(WHOLE).decode()
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-1"):
        yield _odd(f"gpx in {encoding}", text.replace("<trk>", "<trk><name>Strasse</name>").encode(encoding))
        yield _odd(f"nmea in {encoding}", log(WHOLE, gga, rmc).decode().encode(encoding))
    yield _odd(
        "a wrong declaration",
        text.replace("?>", ' encoding="koi8-r"?>').replace("<trk>", "<trk><name>\xe9</name>").encode("latin-1"),
    )
    yield _odd("old line ends", text.replace("\n", "\r"))
    yield _odd("blank lines before", b"\r\n \t" + text.split("?>", 1)[1].encode())


def _cut() -> Iterator[Odd]:
    whole = gpx(WHOLE)
    lines = log(WHOLE, gga, rmc)
    for tenth in range(1, 10):
        yield _odd(f"gpx cut at {tenth} tenths", whole[: len(whole) * tenth // 10], ALL * tenth // 10 - 3, ["damaged"])
        yield _odd(f"nmea cut at {tenth} tenths", lines[: len(lines) * tenth // 10], ALL * tenth // 10 - 1, ["damaged"])
    middle = len(whole) // 2
    yield _odd(
        "a hole in the middle", whole[: middle - 40] + whole[middle + 40 :], ALL - 5, ["damaged", "no_time", "no_place"]
    )
    yield _odd(
        "zeros in the middle",
        whole[: middle - 40] + bytes(80) + whole[middle + 40 :],
        ALL - 5,
        ["damaged", "no_time", "no_place"],
    )
    noise = random.Random(9).randbytes(200)
    yield _odd("rubbish in the middle of a log", lines[:middle] + noise + lines[middle:], ALL - 2, ["damaged"])
    yield _odd("rubbish behind", whole + noise, ALL, ["damaged"])


def _nmea() -> Iterator[Odd]:
    for talker in ("GP", "GN", "GL", "GA", "GB", "BD", "GQ", "gp"):
        yield _odd(f"talker {talker}", log(WHOLE, lambda at, talker=talker: rmc(at, talker)))  # type: ignore[misc]
    yield _odd("all small letters", log(WHOLE, gga, rmc).lower())
    for end in ("\n", "\r", "\r\r\n", "\n\n", "\x00", "   \r\n"):
        yield _odd(f"line ends {end!r}", log(WHOLE, gga, rmc).replace(b"\r\n", end.encode()))
    stamp = "2026-05-12 10:00:00.123 > "
    yield _odd("a logger's own times before", log(WHOLE, lambda at: stamp + gga(at), lambda at: stamp + rmc(at)))
    spam = sentence("GPGSV,3,1,11,03,03,111,00,04,15,270,00,06,01,010,00,13,06,292,00") * 3 + sentence("PUBX,00,x")
    maker = sentence("PGRMC,A,218.8,100,6378137.000,298.257223563,0.0,0.0,0.0,A,3,1,1,4,30")
    yield _odd("satellites in view and makers' own", log(WHOLE, lambda at: spam + maker + gga(at) + spam, rmc))
    yield _odd("ten a second", log(drive(90, 0.1), gga, rmc), 10 * ALL - 9)
    yield _odd(
        "rmc and gga of different times", log(drive(90, 0.5), lambda at: (gga if at.second % 1 else rmc)(at)), ALL
    )
    yield _odd(
        "void fixes first", log(drive(20, start=-30), lambda at: rmc(at, status="V")) + log(WHOLE, rmc), ALL, ["no_fix"]
    )
    yield _odd(
        "void fixes between",
        log(WHOLE, lambda at: rmc(at, status="V" if at.second % 10 == 9 else "A")),
        ALL - 9,
        ["no_fix"],
    )
    yield _odd(
        "a year 80 first",
        log([At(-30 + k - 1_461_000_000, 0.0) for k in range(9)], rmc) + log(WHOLE, rmc),
        ALL,
        ["before_fix"],
    )
    night = drive(90, start=14 * 3600 - 45)
    yield _odd("midnight", log(night, gga, rmc))
    yield _odd("midnight by the time of day alone", rmc(night[0]) + log(night, gga).decode(), ALL)
    yield _odd("the date comes last", log(night, gga).decode() + rmc(night[-1]))


def _nmea_logs() -> Iterator[Odd]:
    def zda(at: At) -> str:
        moment = datetime.fromtimestamp(at.utc_ms / 1000, UTC)
        return sentence(f"GPZDA,{moment:%H%M%S}.00,{moment:%d,%m,%Y},00,00")

    yield _odd("a date once a minute", log(WHOLE, lambda at: gga(at) + (zda(at) if at.second % 60 == 7 else "")))
    bare = [(rmc(at).split("*")[0] + "\r\n") if k % 10 == 9 else rmc(at) for k, at in enumerate(WHOLE)]
    yield _odd("some without a checksum", "".join(bare), ALL - 9, ["no_checksum"])
    wrong = [rmc(at).replace("*", "*F" if k % 10 == 9 else "*", 1) for k, at in enumerate(WHOLE)]
    yield _odd("some wrong checksums", "".join(wrong), ALL - 9, ["damaged"])
    lost = "".join(line for k, line in enumerate(log(WHOLE, gga, rmc).decode().splitlines(True)) if k % 7)
    yield _odd("lost lines", lost)
    joined = log(WHOLE, gga, rmc).decode().replace("\r\n", "")
    yield _odd("no line ends at all", joined)
    yield _refused("gga alone", log(WHOLE, gga), "no date.*RMC or ZDA")
    yield _refused(
        "no checksums", "".join(rmc(at).split("*")[0] + "\r\n" for at in WHOLE), "91 sentences .* no checksum"
    )
    yield _refused("nmea with decimal commas", log(WHOLE, lambda at: comma(rmc(at))), "decimal commas")
    yield _refused("void alone", log(WHOLE, lambda at: rmc(at, status="V")), "itself calls most of them no fix")
    yield _refused("satellites alone", sentence("GPGSV,1,1,00") * 50, "no track point")


def _kinds() -> Iterator[Odd]:
    yield _refused("gzip", gzip.compress(gpx(WHOLE), mtime=0), "compressed")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("doc.kml", "<kml/>")
    yield _refused("kmz", packed.getvalue(), "compressed")
    yield _refused("kml", '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document/></kml>', "KML")
    yield _refused("tcx", '<TrainingCenterDatabase xmlns="x"><Activities/></TrainingCenterDatabase>', "TCX.*gtrnctr")
    yield _refused("fit", b"\x0e\x10\xd9\x07\x00\x00\x00\x00.FIT\x00\x00" + bytes(90), "FIT.*garmin_fit")
    rows = "\n".join(f"{at.time},{at.place[0]},{at.place[1]}" for at in WHOLE)
    yield _refused("csv", f"time,lat,lon\n{rows}\n", "table.*unicsv")
    yield _refused("csv with semicolons", f"time;lat;lon\n{rows.replace(',', ';')}\n", "table")
    yield _refused("json", '{"type": "FeatureCollection", "features": []}', "neither GPX nor")
    yield _refused("a web page", "<!doctype html><html><body>Log in</body></html>", "neither GPX nor|document type")
    yield _refused("nothing", b"", "neither GPX nor")
    for seed in range(6):
        yield _refused(f"rubbish {seed}", random.Random(seed).randbytes(4096), "")
