"""What a browser or a program talks to: pages, streams, the HTTP API, uploads.

Its routes are in `web.routes`, who may use them in `web.access`; the server that carries it is `web.serving`. What is
done with uploaded videos is the matter of `analysis.queue`.
"""
