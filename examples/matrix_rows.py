"""The dot product of each row of a matrix with a vector, one row at a time."""
import numpy as np


def matrix_rows(A, x):
    y = np.empty(A.shape[0])
    for i in range(A.shape[0]):
        y[i] = np.dot(A[i], x)
    return y


rng = np.random.default_rng(0)
A = rng.standard_normal((2000, 1000))
x = rng.standard_normal(1000)

matrix_rows(A, x)
