"""The process that the processes of `vultus serve --workers` are forks of: it imports this file."""

from importlib import import_module
from typing import Final

from app.runtime.garbage import collect_after_start, leave_out_of_collection

_MODULES: Final = ("app.cli.main", "app.main", "app.services")

collect_after_start()
for _module in _MODULES:
    import_module(_module)
leave_out_of_collection()
