"""Training, export and evaluation of the two networks that the device runs.

`python -m models.train` makes `artifacts/{detector,classifier}.tflite` and their manifest, `python -m models.evaluate`
measures them. The device itself imports nothing from here: what runs on it lives in `device.perception`.
"""
