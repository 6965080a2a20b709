"""Pictures only: sources, decoding, detectors, tracking, crops, drawing.

What a face expresses is the matter of `model` and `expressions`.
"""
