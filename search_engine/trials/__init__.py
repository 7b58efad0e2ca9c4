"""What searches by trials share: the best so far, figures over trials, the pace of live frames, a permutation that needs no memory.

Importing this room imports no torch.
"""
