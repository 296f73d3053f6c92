"""The sections of the report, each a function from the book of results to a written section."""
