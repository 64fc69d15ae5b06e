"""``/v1/subscriptions``, ``/v1/mirrors``, ``/v1/graph``: who wants to know of changes, and what Graph tells of them."""
