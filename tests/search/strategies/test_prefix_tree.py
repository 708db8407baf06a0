"""The distinct beginnings of sequences."""

import numpy as np

from nasnet_keras.search.strategies.prefix_tree import prefix_tree


def test_each_beginning_is_there_once() -> None:
    sequences = np.array([[1, 2, 3], [1, 2, 0], [1, 3, 1], [2, 2, 0], [1, 2, 3], [1, 2, 3]])
    groups = np.array([0, 0, 0, 0, 0, 1])
    tree = prefix_tree(groups, sequences)
    # By level: 1 and 2, and 1 of the other group; 12, 13, 22, and 12; 123, 131, and 123.
    assert tree.tokens.tolist() == [1, 2, 1, 2, 3, 2, 2, 3, 1, 3]
    assert tree.groups.tolist() == [0, 0, 1, 0, 0, 0, 1, 0, 0, 1]
    assert tree.ends.tolist() == [7, 3, 8, 5, 7, 9]
    # What does not go on is no parent.
    assert tree.parents.tolist() == [0, 1, 2, 3, 4, 6]
    assert tree.first_children.tolist() == [3, 5, 6, 7, 8, 9]
    assert tree.place.tolist() == [-1, -1, -1, 0, 0, 1, 2, 3, 4, 5]
    first, second, third = tree.levels
    assert [level.nodes for level in tree.levels] == [slice(0, 3), slice(3, 7), slice(7, 10)]
    assert (first.continued, second.continued) == (slice(0, 0), slice(0, 3))
    assert third.continued == slice(3, 6)
    assert second.bounds == third.bounds == [0, 2, 3]
    assert [(p.tolist(), n.tolist()) for p, n in second.later_children] == [([0], [1])]
    assert third.later_children == []
