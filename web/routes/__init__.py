"""The routes: one module for each part of the pages and the API, and no more in it than a request needs.

What they work with is in `web.services`, who may ask is the matter of `web.access`.
"""
