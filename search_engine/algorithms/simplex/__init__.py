"""What methods share whose structure lives inside the simplex: architecture gradients, the relaxed loss, reports and habits; and the
methods: `darts`, `gumbel_softmax`, `dirichlet`, `logit_normal`.

Importing this family imports no torch.
"""
