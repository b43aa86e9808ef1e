//! Medians and their spread over the rounds of a run.
//!
//! Three rounds are too few for anything finer, and a mean would follow the one round that another process disturbed.

/// A median, and how far the rounds were apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Middle {
    /// The median.
    pub median: f64,
    /// The largest less the smallest, as a share of the median.
    pub spread: f64,
}

/// The middle of the values of all rounds; nothing without a round.
pub fn middle(values: impl IntoIterator<Item = f64>) -> Option<Middle> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let (first, last) = (*values.first()?, *values.last()?);
    let median = f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]);
    Some(Middle { median, spread: if median == 0.0 { 0.0 } else { (last - first) / median } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_one_wild_round() {
        assert_eq!(middle([10.0, 1_000.0, 12.0]).unwrap().median, 12.0);
        assert_eq!(middle([4.0, 2.0]), Some(Middle { median: 3.0, spread: 2.0 / 3.0 }));
        assert_eq!(middle([]), None);
    }
}
