"""Observation of the service: logs, metrics, spans, the last minutes of requests."""
