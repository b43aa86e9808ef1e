//! Tests of what is stored: golden bytes of every version there was, round trips of arbitrary values, and the fuzz
//! targets over their corpus.

mod arbitrary;
mod cases;
mod corpus;
mod golden;
mod round_trip;
