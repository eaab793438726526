"""Programs that use real clients of other servers, each in a process of its own.

The client's environment runs them (`scripts/install_clients.py`; `tests/kit/clients.py` starts
them): they import the standard library, their client and `calls`, and nothing of the project.
"""
