"""What each page shows, as values for its template. Numbers come from the snapshot's figures and from nowhere else."""
