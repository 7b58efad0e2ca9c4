"""Two-level Bayesian inference: weights by their posterior, hyper-parameters and model by the evidence (MacKay 1992; Bishop 2006,
sections 3.4, 3.5, 4.4, 5.7 and 10.1).

A model is a function f(x, w) of a flat weight vector w with the prior p(w | h) = N(0, I / alpha) and a likelihood p(D | w, h), Gaussian of
precision beta or categorical. Level one: w* = argmax p(D | w) p(w | h) / p(D | h). Level two: h, and the model itself, by the largest
evidence p(D | h) = integral of p(D | w) p(w | h) dw. All logarithms are natural: everything is in nats.
"""
