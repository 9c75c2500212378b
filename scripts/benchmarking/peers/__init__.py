"""Programs for peers that are libraries: what their own documentation tells a user to write."""
