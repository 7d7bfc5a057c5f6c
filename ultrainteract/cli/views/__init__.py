"""What commands print: reports, plans, checks and trees as tables and panels."""
