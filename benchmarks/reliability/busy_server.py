"""`vultus serve` that is as busy with its files as the crash benchmark's own process."""

from app.cli.serve.serve import serve
from app.constants import Constants

BUSY = Constants(snapshot_above=10, snapshot_every_s=0.02, log_revisions=50, sweep_every_s=0.05)

if __name__ == "__main__":
    serve(constants=BUSY)
