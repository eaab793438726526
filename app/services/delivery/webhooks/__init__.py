"""Webhooks: signed messages over HTTP, by the scheme of standardwebhooks.com."""
