"""What records of frames are written as: CSV, JSON, Parquet, Excel, WebVTT, ELAN, annotated video.

Nothing here looks for faces or knows how the records were made.
"""
