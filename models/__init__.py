"""Training, export and evaluation of the two networks that the device runs.

`python -m models.train` makes checkpoints, `models.ship` makes `artifacts/{detector,classifier}.tflite` and their
manifest of them, `models.evaluate` measures those, and `models.sign` signs them. The device itself imports nothing from
here: what runs on it lives in `device.perception`.
"""
