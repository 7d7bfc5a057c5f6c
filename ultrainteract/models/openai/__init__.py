"""Servers that speak OpenAI's protocols: chat completions and batches."""
