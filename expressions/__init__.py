"""Probabilities over time: smoothing, the resting face, adaptation, intervals, valence; NumPy only.

Pictures are the matter of `vision`, naming what they show that of `model`.
"""
