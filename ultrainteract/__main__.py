"""`python -m ultrainteract` is the command line."""

from ultrainteract.cli import main

main()
