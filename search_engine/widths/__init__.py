"""The widths of a network: which channels belong together, what they cost, which of them a penalty makes superfluous, and the same network
with other widths.

A room between training and super-networks: it knows any network that one forward pass can be followed through (`tracing`), whichever space
or hand it came from.

    channels = ChannelGroups.of(network, shape)               # refuses what it cannot handle, before anything is trained
    regulariser = Regulariser(channels, RegulariserConfig())  # reads the network's weights
    shrunk = shrink_phase(network, shape, data, training, RegulariserConfig(), seed=0)
    smaller = resize(network, channels, shrunk.widths)        # fresh weights

- `tracing`: one forward pass, followed element by element: which channel every number belongs to.
- `channels`: groups of channels that live and die together, the operations that read and write them, the cost of any widths.
- `regularisers`: the importance of channels and the penalty (Gordon et al. 2018, MorphNet; Scardapane et al. 2017, group lasso).
- `shrinking`: training with such a penalty, resumable between any two steps.
- `histograms`, `drawn`: importances around the threshold, and shrunk networks as a picture.
- `scaling`: the largest uniform multiplier of widths within a budget.
- `rebuilding`, `resizing`: a network of the same form with other widths.
"""
