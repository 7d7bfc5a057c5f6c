"""Planning: what a run will ask for, cost and saturate, before it begins."""
