"""Video files and streams: their packets decoded to upright frames, each at its own time, within limits.

Where live frames come from is the matter of `vision.sources`.
"""
