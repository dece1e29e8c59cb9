"""Training, export and evaluation of the two networks that the device runs.

`python -m models.train` makes checkpoints; `models.ship` makes of them `artifacts/{detector,classifier}.tflite` and a
manifest; `models.evaluate` measures the models, and `models.sign` signs them. The device itself imports nothing from
here: what runs on it lives in `device.perception`.
"""
