"""How well answers are: the metrics of every task in one table, what each class gets, and the simple models that a score stands beside.

NumPy alone (the simple models: scikit-learn); nothing here knows a network.
"""
