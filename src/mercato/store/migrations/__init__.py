"""The one linear history of the database's shape. Each file in `versions` is one step; none is ever edited."""
