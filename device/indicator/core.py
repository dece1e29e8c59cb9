"""What LED and buzzer do for each verdict: a table. The pins are reached through gpiozero's factory."""

from __future__ import annotations

import contextlib
import importlib
from dataclasses import dataclass
from typing import Any

from gpiozero import RGBLED, Button, Buzzer, Device, GPIOZeroError

from device.indicator.errors import PinsError
from device.indicator.settings import PIPES, IndicatorSettings
from wire.vocabulary import StateName


@dataclass(frozen=True)
class Signal:
    """Colour (red, green, blue; 0 to 1), seconds that it is shown, and how often the buzzer sounds."""

    colour: tuple[float, float, float]
    seconds: float
    beeps: int


SIGNALS: dict[StateName, Signal] = {
    "VERIFIED": Signal((0.0, 1.0, 0.0), 1.0, 0),
    "CODE_ONLY": Signal((0.0, 1.0, 0.3), 1.0, 0),
    "UNVERIFIED": Signal((0.0, 0.0, 1.0), 1.0, 0),
    "SUSPECT": Signal((1.0, 0.6, 0.0), 2.0, 0),
    "MISSING": Signal((1.0, 0.6, 0.0), 2.0, 1),
    "DAMAGED": Signal((1.0, 0.6, 0.0), 2.0, 1),
    "MISPLACED": Signal((1.0, 0.0, 0.0), 3.0, 2),
    "FORGED": Signal((1.0, 0.0, 0.0), 3.0, 2),
    "CONTRADICTED": Signal((1.0, 0.0, 0.0), 3.0, 3),
}


class SignalPanel:
    """LED, buzzer and tamper switch on one gpiochip; BCM pin numbers.

    Args:
        red, green, blue, buzzer, tamper: BCM numbers. The tamper switch closes to ground while the case is shut.
    """

    def __init__(self, red: int, green: int, blue: int, buzzer: int, tamper: int) -> None:
        self._led = RGBLED(red, green, blue)
        self._buzzer = Buzzer(buzzer)
        self._tamper = Button(tamper, pull_up=True)

    @property
    def opened(self) -> bool:
        """Whether the case is open."""
        return not self._tamper.is_pressed

    def show(self, state: StateName) -> None:
        """Signal a verdict's state."""
        signal = SIGNALS[state]
        self._led.blink(on_time=signal.seconds, off_time=0.0, on_color=signal.colour, n=1, background=True)
        if signal.beeps:
            self._buzzer.beep(on_time=0.1, off_time=0.1, n=signal.beeps, background=True)

    def close(self) -> None:
        for device in (self._led, self._buzzer, self._tamper):
            device.close()


def open_panel(settings: IndicatorSettings) -> SignalPanel:
    """The panel behind the pin factory that the settings name. Raises PinsError."""
    refused: tuple[type[Exception], ...] = (GPIOZeroError, OSError)
    if settings.factory == "lgpio":
        refused += (load_lgpio().error,)
    try:
        factory = use_factory(settings.factory)
        if settings.factory == "mock":
            factory.pin(settings.tamper).drive_low()  # a laptop's case counts as shut
        return SignalPanel(settings.red, settings.green, settings.blue, settings.buzzer, settings.tamper)
    except refused:
        raise PinsError("pins_refused", subject="lgpio" if settings.factory == "lgpio" else "gpiozero") from None


def load_lgpio() -> Any:
    """The library below gpiozero's factory. Raises PinsError."""
    try:
        with contextlib.chdir(PIPES):  # while it is loaded it makes a pipe to itself in the current folder
            return importlib.import_module("lgpio")
    except ImportError:
        raise PinsError("pins_library_missing", subject="lgpio") from None
    except OSError:
        raise PinsError("pins_library_unconfined", subject="lgpio") from None


def use_factory(name: str) -> Any:
    """Choose gpiozero's pin factory: `mock` without pins, `lgpio` on a Raspberry Pi. Returns it."""
    if name == "mock":
        from gpiozero.pins.mock import MockFactory, MockPWMPin

        Device.pin_factory = MockFactory(pin_class=MockPWMPin)
    else:
        from gpiozero.pins.lgpio import LGPIOFactory

        Device.pin_factory = LGPIOFactory()
    return Device.pin_factory
