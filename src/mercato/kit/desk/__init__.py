"""The desk: what operators see of the books in a browser and over the API, in words, and what they may answer."""
