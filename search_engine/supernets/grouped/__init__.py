"""The mixing of `mixing.py` grouped by source state: what `PerEdge` computes, in a few large operations instead of many small ones.

Every edge that leaves a state computes its operations on that state. So whatever they have in common is computed once: the ReLU, the
poolings and their normalisation. What differs only in its weights is one operation for all edges: the depthwise convolutions
(`depthwise`), the pointwise ones (one batched product), the normalisation; and the structure's weight enters where the normalised values
are added to the target, as the factor of the normalisation (`mixed_sum`). `none` adds nothing and is left out.

`by_source` is the mixing, `partial_channels` that of partial channels; `reading` says which operations of a cell can be grouped, `layout`
how feature maps lie in memory, `choices` which arithmetic is taken for which shape.
"""
