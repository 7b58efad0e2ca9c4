BUILT_IN = (
    "trials.random_search", "trials.grid", "trials.local_search", "trials.regularized_evolution", "bayesian", "policy.nas_rl",
    "policy.evo_nas", "pathnet", "policy.multipath", "deepswarm", "simplex.darts", "simplex.gumbel_softmax", "simplex.dirichlet",
    "simplex.logit_normal", "enas", "wann", "codeepneat", "adanet", "budgeted_supernet", "pruning.lottery_ticket", "pruning.supermask",
    "bayes.ard", "bayes.vae_ard", "variational", "evidence", "adddel", "hierarchical_evolution", "morphnet", "network_morphism",
)
"""Packages and files of this room, in catalogue order; each has one ENTRY. Adding an algorithm = adding one of them and one name here."""
UNLISTED = ("given_architecture",)
"""Of the same form, and not offered as searches: a run may name them."""
