"""Why nothing is delivered, where certificates or clocks are out of their time: a number of uplink's, in our words."""

from __future__ import annotations

from typing import Final

REFUSALS: Final[dict[int, tuple[str, str, str]]] = {
    1: (
        "certificate_not_yet_valid",
        "by this machine's clock the broker's certificate is not valid yet",
        "set the clock; the device connects by itself then",
    ),
    2: (
        "certificate_expired",
        "by this machine's clock the broker's certificate has expired",
        "check the clock, then renew the broker's certificate (sealcam keys renew in a development home)",
    ),
    3: (
        "own_certificate_expired",
        "the broker says that this device's certificate has expired",
        "run: sealcam keys renew, and start the device again",
    ),
    4: (
        "own_certificate_refused",
        "the broker does not take this device's certificate, which may not be valid yet",
        "check the clocks of device and broker, then run: sealcam keys renew",
    ),
}
"""`device.uplink.connection.Refusal` -> the word for telemetry, the sentence and the remedy. 0 is no refusal."""
