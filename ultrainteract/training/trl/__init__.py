"""What needs TRL when it is imported."""
