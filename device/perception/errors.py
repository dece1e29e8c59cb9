"""Why the networks cannot run."""

from device.channel.errors import CompartmentError


class InterpreterMissingError(CompartmentError, ImportError):
    """No TFLite interpreter is installed: neither `ai-edge-litert` nor, on an older system, `tflite-runtime`."""


class ModelUnreadableError(CompartmentError):
    """The bytes are not a TFLite model that this interpreter can run."""
