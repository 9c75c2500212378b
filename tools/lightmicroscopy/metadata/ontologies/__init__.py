"""Terms of ontologies and other identifiers: read however they are spelled, looked up, suggested, and written one way."""
