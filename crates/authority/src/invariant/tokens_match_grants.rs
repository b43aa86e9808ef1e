//! The index of tokens is exactly what the grants say: no token opens another grant, and none that was forgotten opens
//! anything.

use crate::authority::Authority;

/// Holds when every token of a grant leads to it, and no other token leads anywhere.
pub fn tokens_match_grants(state: &Authority) -> Result<(), String> {
    let mut tokens = 0;
    for grant in state.grants.values() {
        let previous = grant.tokens.previous.map(|(hash, _)| hash);
        for token in [Some(grant.tokens.current), previous].into_iter().flatten() {
            tokens += 1;
            if state.tokens.get(&token) != Some(&grant.id) {
                return Err(format!("a token of grant {} does not lead to it", grant.id));
            }
        }
    }
    if tokens != state.tokens.len() {
        return Err(format!("the grants have {tokens} tokens, the index {}", state.tokens.len()));
    }
    Ok(())
}
