"""Training one network: batches, augmentation, the sliced trainer, evaluation, footprint, device."""
