"""The APIs of other services that Vultus speaks, a dialect a folder, so that their clients work."""
