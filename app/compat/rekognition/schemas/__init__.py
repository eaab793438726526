"""What goes over the wire, by its members' names there."""
