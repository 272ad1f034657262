"""R-Drop as a plugin with rooms: ``methods`` and ``conf`` are as sdrun's own."""
