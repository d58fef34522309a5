"""The port `Platform` over HTTP."""
