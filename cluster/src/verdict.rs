//! The last line of every proof: `verdict: holds …` or `verdict: broken …`, and the exit status to match.

use std::process::ExitCode;

/// What a proof found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The promise held; the figures say in how much.
    Holds(String),
    /// It did not; the first thing that shows it.
    Broken(String),
}

impl Verdict {
    /// Prints the line and answers the exit status.
    pub fn conclude(&self) -> ExitCode {
        match self {
            Self::Holds(figures) => {
                println!("verdict: holds ({figures})");
                ExitCode::SUCCESS
            }
            Self::Broken(finding) => {
                println!("verdict: broken ({finding})");
                ExitCode::FAILURE
            }
        }
    }
}
