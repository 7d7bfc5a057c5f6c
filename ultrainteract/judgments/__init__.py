"""Judgments that no machine can prove: crowd votes and annotators, each with measured reliability."""
