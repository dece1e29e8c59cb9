"""The verdict table: from what is known about one physical sign to what Sealcam holds to be true about it.

The rows are read from the top; the first that matches decides. `ANY` matches every value of a column. A test walks
through every combination of the columns' values and through every row, so the table is complete and no row is dead.
Which class may be acted on in a state is `ACTED_ON`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from typing import Final, Literal

from wire.vocabulary import ReasonName, StateName


class Code(Enum):
    """What the code panel of the sign showed."""

    NONE = "none"
    UNREADABLE = "unreadable"  # large enough to read, seen several times, never decoded
    FOREIGN = "foreign"  # does not claim to be a sign code (an advertisement's symbol), is oversized, or keeps changing
    BAD_FORMAT = "bad_format"  # claims to be a sign code and is none, or the two decoders disagree on it
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_KEY = "unknown_key"
    CONFLICTING = "conflicting"  # authentic codes with different claims on one physical sign
    AUTHENTIC = "authentic"


class InForce(Enum):
    """Whether an authentic code is valid at the time of the pass."""

    YES = "yes"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"  # the register knows this sign with another class or place
    UNKNOWN_TIME = "unknown_time"


class Where(Enum):
    """Whether an authentic code is where it claims to be, for traffic in this direction."""

    FITS = "fits"
    ELSEWHERE = "elsewhere"
    WRONG_HEADING = "wrong_heading"
    ANOTHERS = (
        "anothers"  # in reach of its place, but another registered sign stands right here, or the receiver is off
    )
    TWICE = "twice"  # the same code was read at two places
    CARRIED = "carried"  # it is a picture on this vehicle, or on another that drives along
    UNKNOWN = "unknown"  # no position fix, none that is accurate enough, or no heading


class ErrorRate(Enum):
    """The share of the code's modules that are not what the authority printed."""

    NORMAL = "normal"
    HIGH = "high"
    UNMEASURED = "unmeasured"  # in none of the readings could the modules be compared


class Perception(Enum):
    """What perception said over the whole pass, against the class claimed by the code, else by the register.

    Where nothing is claimed, a stable class counts as `AGREES`.
    """

    AGREES = "agrees"
    OTHER_CLASS_STABLE = "other_class_stable"
    UNSTABLE = "unstable"  # no class with a clear majority, or another class without enough certainty
    NOTHING = "nothing"  # no confirmed sign


class Registered(Enum):
    """Whether the register has a sign in force at this place for this direction."""

    ENTRY = "entry"
    UNREACHED = "unreached"  # an entry, and nobody looked from where its code can be read, so that none is missing
    NO_ENTRY = "no_entry"
    UNKNOWN = "unknown"  # there is a register and a position source, but no telling where or when this was


class Consistency(Enum):
    """Whether the pass looks like the pass of a real sign (temporal, geometric and confidence checks)."""

    OK = "ok"
    DISAGREES = "disagrees"
    UNFINISHED = "unfinished"  # disagrees, and the recording ended while the sign was still far away


@dataclass(frozen=True)
class Inputs:
    """Everything that the table looks at."""

    code: Code = Code.NONE
    in_force: InForce = InForce.UNKNOWN_TIME
    where: Where = Where.UNKNOWN
    error_rate: ErrorRate = ErrorRate.NORMAL
    perception: Perception = Perception.NOTHING
    registered: Registered = Registered.NO_ENTRY
    consistency: Consistency = Consistency.OK


COLUMNS: Final[tuple[tuple[str, type[Enum]], ...]] = (
    ("code", Code),
    ("in_force", InForce),
    ("where", Where),
    ("error_rate", ErrorRate),
    ("perception", Perception),
    ("registered", Registered),
    ("consistency", Consistency),
)
ANY: Final = None
Outcome = StateName | Literal["NO_VERDICT"]
Dismissal = Literal["foreign_symbol", "symbol_without_sign", "nothing_seen", "pass_unfinished"]
"""Why there is no verdict: words for the reader of the table, which go into no verdict."""


@dataclass(frozen=True)
class Rule:
    """One rule. `because` is the reason word, written into the verdict if there is a verdict."""

    state: Outcome
    because: ReasonName | Dismissal
    code: Code | None = ANY
    in_force: InForce | None = ANY
    where: Where | None = ANY
    error_rate: ErrorRate | None = ANY
    perception: Perception | None = ANY
    registered: Registered | None = ANY
    consistency: Consistency | None = ANY

    def matches(self, inputs: Inputs) -> bool:
        """True where every column that this row names has the value of `inputs`."""
        return all(getattr(self, name) in (ANY, getattr(inputs, name)) for name, _ in COLUMNS)


_REAL = Code.AUTHENTIC

TABLE: Final[tuple[Rule, ...]] = (
    # A code that is not good. A foreign or unreadable symbol matters only where a sign, or its register entry, is.
    Rule("FORGED", "code_format_bad", code=Code.BAD_FORMAT),
    Rule("FORGED", "code_signature_bad", code=Code.BAD_SIGNATURE),
    Rule("FORGED", "code_key_unknown", code=Code.UNKNOWN_KEY),
    Rule("FORGED", "codes_conflict", code=Code.CONFLICTING),
    Rule("FORGED", "code_not_ours", code=Code.FOREIGN, registered=Registered.ENTRY),
    Rule("NO_VERDICT", "foreign_symbol", code=Code.FOREIGN, perception=Perception.NOTHING),
    Rule("FORGED", "code_not_ours", code=Code.FOREIGN),
    Rule("DAMAGED", "code_unreadable", code=Code.UNREADABLE, registered=Registered.ENTRY),
    Rule("NO_VERDICT", "symbol_without_sign", code=Code.UNREADABLE, perception=Perception.NOTHING),
    Rule("DAMAGED", "code_unreadable", code=Code.UNREADABLE),
    # An authentic code that does not fit.
    Rule("MISPLACED", "code_revoked", code=_REAL, in_force=InForce.REVOKED),
    Rule("MISPLACED", "code_superseded", code=_REAL, in_force=InForce.SUPERSEDED),
    Rule("MISPLACED", "code_expired", code=_REAL, in_force=InForce.EXPIRED),
    Rule("MISPLACED", "code_not_yet_valid", code=_REAL, in_force=InForce.NOT_YET),
    Rule("MISPLACED", "code_elsewhere", code=_REAL, where=Where.ELSEWHERE),
    Rule("MISPLACED", "code_wrong_heading", code=_REAL, where=Where.WRONG_HEADING),
    Rule("MISPLACED", "code_at_two_places", code=_REAL, where=Where.TWICE),
    Rule("MISPLACED", "moves_with_vehicle", code=_REAL, where=Where.CARRIED),
    Rule("DAMAGED", "code_error_rate_high", code=_REAL, error_rate=ErrorRate.HIGH),
    # An authentic code of which something could not be checked: fail closed. One that is read where another registered
    # sign stands is a copy, or the receiver is off by as much: no class is acted on, and nobody is accused.
    Rule("SUSPECT", "code_of_another_sign", code=_REAL, where=Where.ANOTHERS),
    Rule("UNVERIFIED", "time_unchecked", code=_REAL, in_force=InForce.UNKNOWN_TIME, perception=Perception.AGREES),
    Rule("SUSPECT", "time_unchecked", code=_REAL, in_force=InForce.UNKNOWN_TIME),
    Rule("UNVERIFIED", "place_unchecked", code=_REAL, where=Where.UNKNOWN, perception=Perception.AGREES),
    Rule("SUSPECT", "place_unchecked", code=_REAL, where=Where.UNKNOWN),
    Rule(
        "UNVERIFIED",
        "error_rate_unmeasured",
        code=_REAL,
        error_rate=ErrorRate.UNMEASURED,
        perception=Perception.AGREES,
    ),
    Rule("SUSPECT", "error_rate_unmeasured", code=_REAL, error_rate=ErrorRate.UNMEASURED),
    # An authentic code, in force, in its place.
    Rule("VERIFIED", "code_and_perception_agree", code=_REAL, perception=Perception.AGREES),
    Rule("CONTRADICTED", "perception_says_otherwise", code=_REAL, perception=Perception.OTHER_CLASS_STABLE),
    Rule("CODE_ONLY", "perception_unstable", code=_REAL, perception=Perception.UNSTABLE),
    Rule("CODE_ONLY", "no_sign_recognised", code=_REAL, perception=Perception.NOTHING),
    # No code.
    Rule("MISSING", "registered_sign_not_seen", registered=Registered.ENTRY, perception=Perception.NOTHING),
    Rule("SUSPECT", "registered_code_not_seen", registered=Registered.ENTRY),
    Rule("NO_VERDICT", "nothing_seen", perception=Perception.NOTHING),
    Rule("NO_VERDICT", "pass_unfinished", consistency=Consistency.UNFINISHED),
    Rule("SUSPECT", "register_unchecked", registered=Registered.UNKNOWN),
    Rule("SUSPECT", "class_unstable", perception=Perception.UNSTABLE),
    Rule("SUSPECT", "consistency_checks_disagree", consistency=Consistency.DISAGREES),
    Rule("UNVERIFIED", "sign_not_reached", registered=Registered.UNREACHED, perception=Perception.AGREES),
    Rule("UNVERIFIED", "perception_alone", perception=Perception.AGREES),
    Rule("SUSPECT", "class_unexpected", perception=Perception.OTHER_CLASS_STABLE),
)

ClassSource = Literal["code", "register", "perception", "nothing"]

ACTED_ON: Final[dict[StateName, ClassSource]] = {
    "VERIFIED": "code",
    "CONTRADICTED": "code",
    "CODE_ONLY": "code",
    "MISSING": "register",
    "UNVERIFIED": "perception",
    "SUSPECT": "nothing",
    "FORGED": "nothing",
    "MISPLACED": "nothing",
    "DAMAGED": "nothing",
}
"""Whose class may be acted on in each state."""


def decide(inputs: Inputs) -> Rule:
    """The first row that matches. The table is complete, so some row always does."""
    return next(row for row in TABLE if row.matches(inputs))


if tuple(name for name, _ in COLUMNS) != tuple(field.name for field in fields(Inputs)):
    raise TypeError("COLUMNS and Inputs must name the same columns in the same order")
