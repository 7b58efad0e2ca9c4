"""What can be asked for: the registry, the config of a run and its check, advice before the start, ready-made searches."""
