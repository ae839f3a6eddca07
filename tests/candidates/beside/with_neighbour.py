"""A candidate that imports the module beside it, when it is imported and when it is called."""

from neighbour import bias_added

from harness.operations.linear import linear


@linear.implementation
def with_neighbour(x, W, b):
    from late_neighbour import product

    return bias_added(product(x, W), b)
