"""Models of score given architecture, and what they propose next: Optuna's Gaussian process and Parzen estimators, an ensemble of MLPs.

Importing this room imports neither torch nor Optuna.
"""
