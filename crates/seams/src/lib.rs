//! What a host gives: clock, randomness and files; real and simulated.
//!
//! Every other crate reaches the host through the traits of this one, so that a test or the seeded simulation can
//! own time, chance and the disk. It knows nothing of Portcullis: no type of another crate appears here. What must
//! stay true: the real implementations are the only places in the workspace that call the operating system for
//! these things (clippy bans the calls elsewhere), and a simulated one never promises more than a real one.

pub mod clock;
pub mod disk;
pub mod entropy;
pub mod plant;
pub mod process;

pub use clock::{Clock, ManualClock, SharedClock, SystemClock};
pub use disk::{Disk, DiskFile, SharedDisk, SimulatedDisk, SystemDisk};
pub use entropy::{Entropy, SeededEntropy, SharedEntropy, SystemEntropy};
