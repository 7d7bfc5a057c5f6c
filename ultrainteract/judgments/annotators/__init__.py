"""Annotators, people and models alike: are their preferences there before they are asked, or made by the asking?

Questions are planned under conditions (`plan`), asked (`asking`, or on paper), read (`measures`), classified by
stated tests (`classify`), and reported (`report`), with pairs from what is genuine alone.
"""
