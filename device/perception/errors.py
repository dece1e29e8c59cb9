"""Why the networks cannot run."""

from device.channel.errors import CompartmentError
from wire.errors import SealcamError


class InterpreterMissingError(CompartmentError, ImportError):
    """No TFLite interpreter is installed: neither `ai-edge-litert` nor, on an older system, `tflite-runtime`."""


class ModelUnreadableError(CompartmentError):
    """The bytes are not a TFLite model that this interpreter can run."""


class FrameSizeError(SealcamError, ValueError):
    """A frame is not of the size that the geometry was made for: our own bug."""
