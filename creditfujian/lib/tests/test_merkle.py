"""The tree agrees with the public vectors of RFC 6962 (certificate-transparency, transparency-dev/merkle)."""

import random
from collections.abc import Callable

import pytest

from creditfujian.lib.merkle import (
    EMPTY_ROOT,
    SIZE,
    STEP,
    Growing,
    Tree,
    completed,
    fold,
    leaf_hash,
)
from tools import verify_log as outside

LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {  # (leaf, size): audit path
    (0, 1): [],
    (0, 8): ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
             "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"],
    (5, 8): ["bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
             "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
             "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): ["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
             "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"],
}  # fmt: skip
CONSISTENCY = {  # (before, size): proof
    (1, 1): [],
    (1, 8): ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
             "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"],
    (6, 8): ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
             "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
             "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    (2, 5): ["5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"],
    (6, 7): ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
             "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
             "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
}  # fmt: skip


def kept(leaves: bytes) -> Callable[[int, int, int], bytes]:
    """Keep leaves and every eighth level, as the database does."""
    levels = {0: leaves}

    def read(level: int, first: int, count: int) -> bytes:
        found = levels[level][first * SIZE : (first + count) * SIZE]
        assert len(found) == count * SIZE
        return found

    for level in (STEP, 2 * STEP):
        first, hashes = completed(level, 0, len(leaves) // SIZE, read)
        assert first == 0
        levels[level] = hashes
    return read


def tree(size: int) -> Tree:
    return Tree(size, kept(b"".join(leaf_hash(leaf) for leaf in LEAVES[:size])))


def numbered(size: int) -> bytes:
    return b"".join(leaf_hash(str(n).encode()) for n in range(size))


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    assert (tree(size).root() if size else EMPTY_ROOT).hex() == ROOTS[size]


@pytest.mark.parametrize(("leaf", "size"), PATHS)
def test_audit_paths_are_the_published_ones(leaf: int, size: int) -> None:
    path = tree(size).path(leaf)
    assert [node.hex() for node in path] == PATHS[leaf, size]
    assert outside.root_of_path(leaf, size, leaf_hash(LEAVES[leaf]), path).hex() == ROOTS[size]


@pytest.mark.parametrize(("before", "size"), CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(before: int, size: int) -> None:
    proof = tree(size).consistency(before)
    assert [node.hex() for node in proof] == CONSISTENCY[before, size]
    assert outside.is_continued(before, size, bytes.fromhex(ROOTS[before]), bytes.fromhex(ROOTS[size]), proof)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 700, 65_536 + 300])
def test_trees_over_several_kept_levels_prove_any_leaf_and_any_earlier_size(size: int) -> None:
    leaves = numbered(size)
    big, dice = Tree(size, kept(leaves)), random.Random(size)
    assert big.root() == fold(leaves)
    for leaf in {0, size - 1, *(dice.randrange(size) for _ in range(20))}:
        own = leaves[leaf * SIZE : (leaf + 1) * SIZE]
        assert outside.root_of_path(leaf, size, own, big.path(leaf)) == big.root()
    for before in {1, size, *(dice.randrange(1, size + 1) for _ in range(20))}:
        proof = big.consistency(before)
        assert outside.is_continued(before, size, fold(leaves[: before * SIZE]), big.root(), proof)


def test_a_proof_with_anything_changed_proves_nothing() -> None:
    leaves = numbered(300)
    big = Tree(300, kept(leaves))
    path, own, root = big.path(77), leaves[77 * SIZE : 78 * SIZE], big.root()
    wrong = [
        (76, 300, own, path), (78, 300, own, path), (77, 301, own, [*path, root]), (77, 300, root, path),
        (77, 300, own, path[:-1]), (77, 300, own, [*path, root]), (77, 300, own, [root, *path[1:]]), (77, 600, own, path),
    ]  # fmt: skip
    for leaf, size, node, nodes in wrong:
        try:
            assert outside.root_of_path(leaf, size, node, nodes) != root
        except ValueError:
            continue
    proof, old = big.consistency(123), fold(leaves[: 123 * SIZE])
    assert not outside.is_continued(122, 300, old, root, proof)
    assert not outside.is_continued(123, 300, root, old, proof)
    assert not outside.is_continued(123, 300, old, root, proof[:-1])
    assert not outside.is_continued(123, 300, old, root, [*proof, root])
    assert not outside.is_continued(123, 300, old, root, [])


def test_a_tree_grown_in_pieces_has_the_root_of_the_whole_at_each_step() -> None:
    leaves, dice = numbered(3000), random.Random(1)
    grown = Growing()
    while grown.size < 3000:
        more = dice.choice([1, 2, 3, 64, 255, 256, 512])
        grown.add(leaves[grown.size * SIZE : (grown.size + more) * SIZE])
        assert grown.root() == fold(leaves[: grown.size * SIZE])


def test_kept_levels_grow_by_what_was_completed() -> None:
    leaves = numbered(900)
    read = kept(leaves)
    assert completed(STEP, 0, 255, read) == (0, b"")
    first, hashes = completed(STEP, 255, 900, read)
    assert (first, len(hashes) // SIZE) == (0, 3)
    assert completed(STEP, 300, 600, read) == (1, hashes[SIZE : 2 * SIZE])
