"""The test rig's drive: approaches to signs, honest and attacked, rendered from 3D poses.

`drive.render` makes the video, the GPX track, the expected verdicts and the register's entries; `python -m
hardware.rig` does the same from a shell. Everything is drawn here: no picture comes from a data set.
"""
