//! The Merkle tree over the archive's leaves, as RFC 6962, section 2.1, defines it (unchanged in RFC 9162).
//!
//! Only the frontier is kept: the roots of the complete subtrees that make up the tree, largest first, of which there
//! are as many as the size has ones in binary. Appending and the root need nothing else, so an archive of a billion
//! leaves is held in thirty hashes. Proofs of inclusion are not here; `verify` recomputes the whole.

use sha2::{Digest, Sha256};

/// A node of the tree.
pub type Hash = [u8; 32];

/// The most roots of a frontier: one for each bit of the size.
pub(crate) const MAX_FRONTIER: usize = 64;

/// A tree that can be appended to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// The roots of the complete subtrees, from the largest (oldest leaves) to the smallest.
    frontier: Vec<Hash>,
}

impl Tree {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree of a size and a frontier that were kept; none if the two do not belong together. Only comparing the root
    /// tells whether it is the right one.
    pub fn from_frontier(size: u64, frontier: Vec<Hash>) -> Option<Self> {
        (u64::from(size.count_ones()) == frontier.len() as u64).then_some(Self { size, frontier })
    }

    /// The roots of the complete subtrees, from the largest to the smallest: all that has to be kept to go on.
    pub fn frontier(&self) -> &[Hash] {
        &self.frontier
    }

    /// Appends a leaf.
    pub fn append(&mut self, leaf: &[u8]) {
        let mut node = leaf_hash(leaf);
        // Each trailing one of the old size is a complete subtree as large as the one in hand: the two become one.
        for _ in 0..self.size.trailing_ones() {
            let left = self.frontier.pop().expect("the frontier has a root for each one of the size");
            node = node_hash(&left, &node);
        }
        self.frontier.push(node);
        self.size += 1;
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its root: the hash of nothing for the empty tree.
    pub fn root(&self) -> Hash {
        let mut roots = self.frontier.iter().rev();
        match roots.next() {
            None => Sha256::digest([]).into(),
            Some(smallest) => roots.fold(*smallest, |right, left| node_hash(left, &right)),
        }
    }
}

fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 6962, section 2.1, word for word: split at the largest power of two below the size.
    fn by_definition(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => leaf_hash(leaf),
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node_hash(&by_definition(&leaves[..split]), &by_definition(&leaves[split..]))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_definition_at_every_size() {
        let leaves: Vec<Vec<u8>> = (0u8..130).map(|at| vec![at; usize::from(at % 7)]).collect();
        let mut tree = Tree::new();
        assert_eq!(tree.root(), by_definition(&[]));
        for at in 0..leaves.len() {
            tree.append(&leaves[at]);
            assert_eq!(tree.root(), by_definition(&leaves[..=at]), "{} leaves", at + 1);
        }
        assert_eq!(tree.size(), 130);
    }

    #[test]
    fn a_tree_goes_on_from_its_kept_frontier() {
        let mut tree = Tree::new();
        for at in 0..100_u8 {
            let kept = Tree::from_frontier(tree.size(), tree.frontier().to_vec());
            assert_eq!(kept.as_ref(), Some(&tree));
            tree.append(&[at]);
        }
        assert_eq!(Tree::from_frontier(3, vec![[0; 32]]), None);
    }

    /// The vectors that the certificate-transparency implementations share: eight known leaves.
    #[test]
    fn the_root_is_that_of_the_published_vectors() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
                .collect()
        };
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Tree::new();
        for (leaf, root) in leaves.into_iter().zip(roots) {
            tree.append(&hex(leaf));
            assert_eq!(tree.root().to_vec(), hex(root), "after the leaf {leaf:?}");
        }
    }
}
