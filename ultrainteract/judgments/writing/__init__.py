"""Rewrites of a writer's text: better writing is wanted, another opinion is not.

Paragraphs with what readers made of them are read (`paragraphs`), scored twice (`scores`: polish and distortion,
never one number), and made into trees (`trees`): a rewrite that distorts is never chosen, however well it reads.
"""
