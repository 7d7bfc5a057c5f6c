"""Readers: a file, folder, glob, URL or Hub id becomes rows, each with the place it was read from."""
