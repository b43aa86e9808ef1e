//! What the log promises, tested through its public face on a simulated disk that loses power, dies, fills up, tears
//! writes and flips bits. Each file holds one promise; `world` is the node they run in.

mod corpus;
mod crash_at_every_step;
mod damage;
mod durability;
mod dying_disk;
mod epochs;
mod full_disk;
mod model;
mod reading;
mod refusals;
mod world;
