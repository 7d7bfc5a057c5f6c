"""Which instructions get a tree: selection rules and decontamination."""
