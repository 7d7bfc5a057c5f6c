"""The closed loop: trees, training on them, and what it did, with a small model on two CPU cores."""
