"""Two people of one conversation: their curves on one axis of time, their synchrony, and that of shuffled pairs.

Lists, tables and the report are read and written as those of `analysis.study`; nothing here looks at a video.
"""
