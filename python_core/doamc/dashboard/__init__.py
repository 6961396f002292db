"""The dashboard: estimates of one or several receivers in a browser, live.

A thread for each receiver reads ZMQ (`feed`), one asynchronous server (`server`) sends what came to every browser
(`browsers`), and the page in ``static`` draws it. Nothing here loads torch. aiohttp is needed: install
``gr-doamc[dashboard]``.
"""
