"""Why nothing is delivered: a number of uplink's, in our words.

Uplink meets the network: it chooses among these rows and says no word of its own. A false number costs the user a look
at the broker, and shortens the wait for receipts at a replay's end; uplink can withhold envelopes without it as well.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from device.config import UplinkConfig
from device.warden.roster import Roster


class RefusalWords(NamedTuple):
    """`{where}` is the broker's HOST:PORT, `{host}` its host.

    Attributes:
        word: for `summary.json`, and for telemetry where `told`.
        told: whether telemetry is told: a certificate out of its time, which whoever watches a fleet has to mend. A
            broker that is away is an ordinary day of a vehicle.
        lasting: whether it stands until somebody does something, so that waiting does not help.
    """

    word: str
    sentence: str
    remedy: str
    told: bool = False
    lasting: bool = True


_START_IT: Final = "start the broker there, or set [uplink] host and port"
_ACCESS: Final = "look at the broker's access list and log (sealcam-sink broker writes an access list that fits)"

REFUSALS: Final[dict[int, RefusalWords]] = {
    1: RefusalWords(
        "certificate_not_yet_valid",
        "by this machine's clock the certificate of the broker at {where} is not valid yet",
        "set the clock; the device connects by itself then",
        told=True,
    ),
    2: RefusalWords(
        "certificate_expired",
        "by this machine's clock the certificate of the broker at {where} has expired",
        "check the clock, then renew the broker's certificate (sealcam keys renew in a development home) and "
        "restart it",
        told=True,
    ),
    3: RefusalWords(
        "own_certificate_expired",
        "the broker at {where} says that this device's certificate has expired",
        "run: sealcam keys renew, then restart the broker and the device",
        told=True,
    ),
    4: RefusalWords(
        "own_certificate_refused",
        "the broker at {where} does not take this device's certificate, which may not be valid yet",
        "check the clocks of device and broker, then run: sealcam keys renew, and restart both",
        told=True,
    ),
    5: RefusalWords(
        "certificate_untrusted",
        "the certificate of the broker at {where} is not trusted: the authority in device/ca.crt did not sign it",
        "if keys were renewed, restart the broker and then the device, else set [uplink] host and port to your broker, "
        "or put the certificate of its authority into device/ca.crt",
    ),
    6: RefusalWords(
        "certificate_other_name",
        "the certificate of the broker at {where} does not name {host}",
        "set [uplink] host to a name that its certificate has (openssl x509 -noout -ext subjectAltName -in tls.crt)",
    ),
    7: RefusalWords(
        "own_certificate_untrusted",
        "the broker at {where} does not trust this device's certificate",
        "if keys were renewed, restart the broker and then the device, else give the broker (cafile) the certificate "
        "of the authority that signed device/tls.crt, and restart it",
    ),
    8: RefusalWords(
        "no_tls",
        "{where} answers, and does not speak TLS 1.3",
        "set [uplink] port to the broker's TLS port (8883 by custom)",
    ),
    9: RefusalWords(
        "not_authorised", "the broker at {where} does not authorise this device to connect or to subscribe", _ACCESS
    ),
    10: RefusalWords(
        "session_refused",
        "{where} refuses the session",
        "look at its log: it may be full, or not speak MQTT 5",
    ),
    11: RefusalWords("takes_no_events", "the broker at {where} takes no events from this device", _ACCESS),
    12: RefusalWords(
        "no_name",
        "{host} has no address here: the name cannot be resolved",
        "check [uplink] host (a name or an address, without a port) and the network",
        lasting=False,
    ),
    13: RefusalWords(
        "not_listening", "{where} refuses the connection: nothing listens there", _START_IT, lasting=False
    ),
    14: RefusalWords("no_way", "there is no way to {where} from here", "check the network", lasting=False),
    15: RefusalWords(
        "no_answer", "{where} does not answer", "check [uplink] host and port, the network, firewalls", lasting=False
    ),
    16: RefusalWords(
        "silent",
        "{where} takes the connection and says nothing",
        "check [uplink] port, and whether the broker hangs",
        lasting=False,
    ),
    17: RefusalWords(
        "hangs_up",
        "{where} takes the connection and closes it at once",
        "check [uplink] port (it must be the TLS port of an MQTT broker), and look at its log",
        lasting=False,
    ),
    18: RefusalWords("not_dialled", "no connection to {where} can be made", "run: sealcam doctor", lasting=False),
    19: RefusalWords(
        "floods",
        "the broker at {where} sends packets without end, and is hung up on",
        "look at its log, and whether it was taken over; set [uplink] host and port to another",
    ),
}
"""By `device.uplink.refusal.Refusal`. 0 is no refusal."""


def words(refusal: int, uplink: UplinkConfig) -> RefusalWords | None:
    """The row of a number, its sentence about this broker; None for 0 and for numbers that are none of ours."""
    row = REFUSALS.get(refusal)
    if row is None:
        return None
    return row._replace(sentence=row.sentence.format(where=uplink.where, host=uplink.host))


def current(roster: Roster, uplink: UplinkConfig) -> RefusalWords | None:
    """Why the broker takes nothing now, as uplink has it; None where it does, or where that is not known yet."""
    return words(roster.fact("uplink", "refusal"), uplink)
