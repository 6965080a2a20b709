"""The HTTP server and what stands before the application: connections, limits, certificates, proxies.

The routes are in `web`.
"""
