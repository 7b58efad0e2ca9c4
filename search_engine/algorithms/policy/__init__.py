"""The autoregressive controller over a space's decisions, how it is trained, and how it is shown.

`network` is the policy; `reinforce` and `priority_queue` are the ways to move it (REINFORCE moves that of `enas` too); `report` says what
the browser draws. What needs torch is imported at its first use, so this family adds nothing to the start-up of the registry. Methods of
the family: `nas_rl`, `evo_nas`, `multipath`.
"""
