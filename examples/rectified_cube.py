"""x**3 for x >= 0 and -x**3 below, with `if` and `for` over one number: plain Python, no arrays."""


def rectified_cube(x):
    r = 1.0
    if x >= 0:
        for i in range(3):
            r *= x
    else:
        for i in range(3):
            r *= x
        r = -r
    return r


rectified_cube(3.0)
