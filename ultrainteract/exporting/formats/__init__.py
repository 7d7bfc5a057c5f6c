"""One module per trainer or layout: pure functions from a tree to its rows."""
