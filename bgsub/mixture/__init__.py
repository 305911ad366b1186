"""The batch model: Gaussian mixtures fitted by EM, scikit-learn's interface, compiled passes over the rows."""
