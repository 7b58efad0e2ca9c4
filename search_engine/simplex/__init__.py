"""What methods share whose structure lives inside the simplex: architecture gradients, the relaxed loss, reports and habits.

Importing this room imports no torch.
"""
