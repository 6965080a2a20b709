"""What a browser or a program talks to: pages, streams, the HTTP API, uploads.

The server that carries it is `web.serving`; what is done with uploaded videos, `analysis.queue`.
"""
