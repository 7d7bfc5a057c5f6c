"""vLLM inside this process, or as a server that the run starts."""
