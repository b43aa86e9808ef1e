//! Properties of the authority: random commands with every invariant after each step, and the decision against a
//! naive model of it.

mod commands;
mod decision;
mod model;
mod no_default;
