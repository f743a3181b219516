"""The real things behind the ports; they know neither engine nor store."""
