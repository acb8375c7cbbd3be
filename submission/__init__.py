"""How a model gets in: pinning, checks, and the store of requests, events and results."""
