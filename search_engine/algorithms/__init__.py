BUILT_IN = (
    "random_search", "grid", "regularized_evolution", "bayesian", "nas_rl", "evo_nas", "pathnet",
    "multipath", "deepswarm", "darts", "gumbel_softmax", "dirichlet", "logit_normal", "enas", "wann", "adanet", "budgeted_supernet",
    "lottery_ticket", "supermask", "ard", "vae_ard", "variational", "evidence", "adddel",
)
"""Modules of this room, in catalogue order; each has one ENTRY. Adding an algorithm = adding one file and one name here."""
