"""The benchmark: its images, its programs, their paired runs, the machine's limit, and what is written of it all."""
