"""capture: turns a camera, a video or a folder into frames in the ring."""
