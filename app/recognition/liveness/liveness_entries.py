"""The liveness networks that the settings may name. This imports no libraries of networks."""

from app.errors import SettingUnusable
from models.zoo.catalogue.entry import CatalogueEntry, catalogue


def liveness_entry(name: str) -> CatalogueEntry:
    """The entry of a liveness network. Raises SettingUnusable for an unknown name."""
    known = {entry.name: entry for entry in catalogue().values() if entry.kind == "liveness"}
    if name not in known:
        raise SettingUnusable(
            f"there is no liveness network {name!r}; there are {', '.join(known)}",
            setting="VULTUS_LIVENESS__NAME",
        )
    return known[name]
