"""Guarded web servers: who may come, how many, for how long. aiohttp is needed, of ``gr-doamc[dashboard]``."""
