"""How fast and how steady the application is: its stages, its viewers, archives, the browser, and other packages.

How often it is right is the matter of `evaluate.py` and `training`.
"""
