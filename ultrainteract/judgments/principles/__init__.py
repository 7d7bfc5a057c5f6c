"""Principles instead of preferences (SAMI): a query answered under several constitutions, no answer the right one.

Constitutions come from principles and their contrasts (`constitutions`); the responses become unlabelled trees
(`growing`); how far a model tells the constitutions apart is the InfoNCE score of a matrix of log-likelihoods
(`information`).
"""
