"""What pages and the JSON API show of the compute room: read from its books, for operators or for everybody."""
