"""What goes over the wire: how a body is decoded, and which of its words let somebody in."""
