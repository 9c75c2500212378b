"""What we read and write, seen by programs that are not ours."""
