"""Training on what was built: rows, templates, masks and lengths are decided here; TRL's trainers do the rest.

Everything of the extra `train` (PyTorch, TRL, transformers, PEFT) is imported inside functions.
"""
