"""One video or picture: its frames with faces, who is who, and its folder of results.

Files are written by `analysis.output`; many recordings are the matter of `analysis.batch`.
"""
