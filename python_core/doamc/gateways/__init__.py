"""Servers that the tools of others read: the page and the WebSocket of the KrakenSDR's software."""
