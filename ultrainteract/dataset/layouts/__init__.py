"""What the rows of each layout of a dataset have to keep: one checker per layout."""
