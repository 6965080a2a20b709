"""What one camera's video needs beside its frames: faces with expressions, the rate, a log of its state.

Frames come from `vision.capture`; what viewers see of them is the matter of `web`.
"""
