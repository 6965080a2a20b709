"""What the tables of many recordings show together: markers, groups, effect sizes, and the report.

It reads tables, and never a video.
"""
