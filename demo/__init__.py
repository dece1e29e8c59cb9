"""The story on one machine: a rendered drive, the device, a real broker and the receiver."""
