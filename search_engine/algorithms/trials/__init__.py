"""What searches by trials share (`search`: a search of which only the rule is left to write), and the methods that need no more:
`random_search`, `grid`, `local_search`, `regularized_evolution`.

Importing this family imports no torch.
"""
