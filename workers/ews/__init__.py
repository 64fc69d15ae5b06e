"""Exchange Web Services: the backend for Exchange on premises. The only package that loads lxml."""

from workers.ews.exchange import EwsExchange

__all__ = ["EwsExchange"]
