"""codes: reads the QR symbols of frames."""
