"""What searches by trials share: the best so far, figures over trials, the pace of live frames; and the methods that need no more:
`random_search`, `grid`, `regularized_evolution`.

Importing this family imports no torch.
"""
