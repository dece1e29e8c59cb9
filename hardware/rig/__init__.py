"""The test rig's drive: approaches to signs, honest and attacked, rendered from 3D poses.

`drive.render` makes the video, the GPX track, what Sealcam is expected to hold, and the register; `python -m
hardware.rig` does the same from a shell. Everything is drawn here: no picture comes from a data set.
"""
