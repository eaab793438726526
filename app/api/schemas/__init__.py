"""What goes over the wire. Pydantic lives here and nowhere deeper."""
