"""What becomes of recordings: tables, studies, and the queue of the videos that visitors send.

Live video is the matter of `camera` and `live`.
"""
