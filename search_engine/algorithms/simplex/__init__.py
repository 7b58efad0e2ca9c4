"""What methods share whose structure lives inside the simplex, and the methods: `darts`, `gumbel_softmax`, `dirichlet`, `logit_normal`.

In reading order: a method (`darts`), the loop (`loop`: Algorithm 1 of DARTS, line by line), the architecture gradient (`estimators`) of the
relaxed loss (`relaxation`). Then `search`: what a method may say of itself, and who listens to the loop:

    shrinking           stages that lose operations, by the plan in `stages`
    partial_channels    a part of the channels passes through the mixed operations
    edge_weights        a weight per edge around the structure
    skip_dropout        skip connections drop values
    habits_listener     the `habits`: warm-up, skip counter, stable ranking, the eigenvalue measured by `curvature`
    progress            frames and figures
    skip_cap            a limit of skip connections in what is derived

The options of all of them stand in `config`, `controls` and `habits`; methods with draws share `stochastic`.

Importing this family imports no torch.
"""
