"""The dashboard: estimates of one or several receivers in a browser, live.

A thread a receiver reads ZMQ (`feed`), one asynchronous server (`server`) hands what came to every browser
(`clients`), and the page in ``static`` draws it. Nothing here loads torch; aiohttp is needed, of the extra
``gr-doamc[dashboard]``.
"""
