"""Why there is no connection to the broker, or why it does not help: one number, which warden has the words for.

It comes from dialer's answer, from TLS (RFC 8446, and X509_V_ERR_... of openssl-verify(1)) and from MQTT's reason codes
(MQTT 5, 2.4). A network in between can feign most of it; it can cut the connection as well, so nothing is gained.
"""

from __future__ import annotations

import enum
import ssl
from typing import Final

from paho.mqtt.reasoncodes import ReasonCode

from device.channel.messages import DialFailure


class Refusal(enum.IntEnum):
    """What keeps envelopes from being taken. `THEIRS`: the broker's certificate, `OURS`: that of the device."""

    NONE = 0
    THEIRS_NOT_YET_VALID = 1
    THEIRS_EXPIRED = 2
    OURS_EXPIRED = 3
    OURS_REFUSED = 4
    THEIRS_UNTRUSTED = 5
    THEIRS_OTHER_NAME = 6
    OURS_UNTRUSTED = 7
    NO_TLS = 8
    NOT_AUTHORISED = 9
    UNWILLING = 10
    TAKES_NO_EVENTS = 11
    NO_NAME = 12
    NOT_LISTENING = 13
    NO_WAY = 14
    NO_ANSWER = 15
    SILENT = 16
    HANGS_UP = 17
    NOT_DIALLED = 18
    FLOODS = 19

    @property
    def lasting(self) -> bool:
        """Whether it stands until somebody does something: a certificate, an access list, an option."""
        return Refusal.NONE < self < Refusal.NO_NAME or self is Refusal.FLOODS


BY_DIALLING: Final[dict[DialFailure, Refusal]] = {
    "none": Refusal.NONE,
    "no_name": Refusal.NO_NAME,
    "not_listening": Refusal.NOT_LISTENING,
    "no_way": Refusal.NO_WAY,
    "no_answer": Refusal.NO_ANSWER,
    "failed": Refusal.NOT_DIALLED,
}
_BY_VERIFICATION: Final = {  # the others say that no trusted authority stands behind the certificate
    9: Refusal.THEIRS_NOT_YET_VALID,
    10: Refusal.THEIRS_EXPIRED,
    62: Refusal.THEIRS_OTHER_NAME,
    64: Refusal.THEIRS_OTHER_NAME,
}
_BY_ALERT: Final = {  # RFC 8446, 6.2; a certificate that is not valid yet is called a bad one by OpenSSL
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": Refusal.OURS_EXPIRED,
    "SSLV3_ALERT_BAD_CERTIFICATE": Refusal.OURS_REFUSED,
    "SSLV3_ALERT_CERTIFICATE_REVOKED": Refusal.OURS_REFUSED,
    "SSLV3_ALERT_UNKNOWN_CA": Refusal.OURS_UNTRUSTED,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": Refusal.OURS_UNTRUSTED,
    "SSLV3_ALERT_DECRYPT_ERROR": Refusal.OURS_UNTRUSTED,  # another authority of the same name
}
_NOT_AUTHORISED: Final = frozenset({0x86, 0x87, 0x8A, 0x8C})


def of_tls(error: ssl.SSLError, otherwise: Refusal) -> Refusal:
    """What a TLS error says; `otherwise` where it says nothing of a certificate."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BY_VERIFICATION.get(error.verify_code, Refusal.THEIRS_UNTRUSTED)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Refusal.HANGS_UP
    return _BY_ALERT.get((error.reason or "").replace("TLSV1_", "SSLV3_"), otherwise)


def of_mqtt(reason: ReasonCode) -> Refusal:
    """What a broker's refusal of the session, or of the subscription, says."""
    return Refusal.NOT_AUTHORISED if reason.value in _NOT_AUTHORISED else Refusal.UNWILLING
