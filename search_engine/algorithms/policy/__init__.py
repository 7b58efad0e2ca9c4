"""The autoregressive controller over a space's decisions, how it is trained, and how it is shown.

`network` is the policy; `baseline`, `reinforce` and `priority_queue` are the ways to move it; `staleness` decides what to do with
trials that an older policy proposed; `report` says what the browser draws. The modules that need torch are imported by whoever uses
them, so this family adds nothing to the start-up of the registry. Methods of the family: `nas_rl`, `evo_nas`, `multipath`.
"""
