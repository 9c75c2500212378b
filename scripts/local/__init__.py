"""The local Galaxy: its environments, its configuration, its life and its end."""
