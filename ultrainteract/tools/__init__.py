"""Tools that an action may call from the sandbox, served by the host."""
