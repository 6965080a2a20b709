"""Who may ask for what, and how often: tokens, visitors, limits, and what nobody is told.

What is answered is the matter of `web.routes`.
"""
