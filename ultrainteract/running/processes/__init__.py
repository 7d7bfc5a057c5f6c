"""Worker processes on this machine: one command uses all of its cores."""
