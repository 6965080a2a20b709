"""What networks learn from: FER2013, its votes, folders of people's pictures, and how faces are varied.

How good a network is on them is the matter of `training.metrics`.
"""
