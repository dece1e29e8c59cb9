"""What a device has sealed and not delivered, opened with the keys of its receiver."""

from __future__ import annotations

from device.sealer.identity_files import identity_of
from device.sealer.spool import Spool
from identity import load
from identity.home import Home
from wire import envelope, events, topics
from wire.events import Event


def sealed_events(home: Home, run_id: str) -> list[Event]:
    """The events of one run that wait in a home's spool, in the order in which they were sealed."""
    identity = identity_of(home)
    sink = load.sink_private(home.sink / "hpke.key")
    device_key = load.signing_key(home.device / "signing.key").public_key()
    spool = Spool(
        home.spool, device_id=identity.device_id, run_id=run_id, max_bytes=2**30, sink_key=identity.sink_key.digest
    )
    found: list[Event] = []
    try:
        for _, sealed in spool.after(-1, spool.waiting):
            opened = envelope.open_envelope(
                sealed,
                topic=topics.envelope_topic(identity.device_id),
                device_id=identity.device_id,
                sink_private=sink,
                device_key=device_key,
            )
            if opened.boot_id.hex() == run_id:
                found.append(events.parse(opened.event))
    finally:
        spool.close()
    return found
