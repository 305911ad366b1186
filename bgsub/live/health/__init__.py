"""How all is, for machines: ``/health`` in JSON and ``/metrics`` for Prometheus, from one `state`."""
