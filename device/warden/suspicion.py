"""Who is to be restarted when a compartment says that its peers sent it invalid messages. The accuser may be lying."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from device.launcher.child import RestartBudget
from device.warden.table import PEERS
from wire.vocabulary import CompartmentName

ACCUSATIONS = 2
"""How many an accuser may make within the restart window; the next restarts the accuser as well."""


class Suspicion:
    """Accusations so far, over all restarts.

    A compartment receives only from its peers on a link: an accuser of any other compartment is blamed itself. An
    accuser that goes on accusing is restarted too, since the lie may be on either side.

    Args:
        window: seconds, the restart window.
    """

    def __init__(self, window: float) -> None:
        self.invalid: Counter[CompartmentName] = Counter()
        self._budgets = {name: RestartBudget(ACCUSATIONS, window) for name in PEERS}
        self._seen: dict[tuple[str, str, int], int] = {}

    def hear(
        self, accuser: CompartmentName, pid: int, counts: Mapping[CompartmentName, int], now: float
    ) -> list[CompartmentName]:
        """Compartments to restart. `counts`: invalid messages by peer since the accuser (process `pid`) started."""
        blamed: list[CompartmentName] = []
        for peer, count in counts.items():
            more = count - self._seen.get((accuser, peer, pid), 0)
            if more <= 0:
                continue
            self._seen[accuser, peer, pid] = count
            if peer not in PEERS[accuser]:
                self.invalid[accuser] += 1
                return [accuser]
            self.invalid[peer] += more
            blamed.append(peer)
            if self._budgets[accuser].spend(now) is None:
                return [*blamed, accuser]
        return blamed
