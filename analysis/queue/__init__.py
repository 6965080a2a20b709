"""The videos that visitors send to the page: the queue, its database, and the process that works it off.

What is done with each video is the matter of `analysis.recording`.
"""
