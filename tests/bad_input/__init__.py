"""What bad input gets: the table in docs/bad-input.md, every row really run."""
