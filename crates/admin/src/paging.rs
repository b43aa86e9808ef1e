//! Pages of a list: a bounded number of items in the order of their keys, and a token that fetches the next ones.
//!
//! A token says after which key to go on, so a page costs the same wherever it begins, and what is added or removed
//! between two pages neither repeats nor hides what was there throughout. Tokens look opaque because clients must not
//! build them; they carry nothing that the list itself does not show.

use std::{collections::BTreeMap, fmt::Write};

use prost::Message;

use crate::parse::{Invalid, Why};

/// How many items a page has when the request does not say.
pub(crate) const DEFAULT_PAGE: usize = 50;

/// The most items a page has.
pub(crate) const MAX_PAGE: usize = 1_000;

/// The most bytes of the items of a page. What is usual is far below; but a grant may have 64 KiB, and an answer must
/// fit into the 4 MiB that clients read.
pub(crate) const MAX_PAGE_BYTES: usize = 3 * 1024 * 1024;

/// Which page is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    list: &'static str,
    size: usize,
    after: Option<Vec<u8>>,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    /// The items in the order of their keys.
    pub(crate) items: Vec<T>,
    /// Fetches the next page; empty at the end.
    pub(crate) next: String,
}

impl Wanted {
    /// Reads the two fields that every list request has. `list` tells the tokens of different lists apart.
    pub(crate) fn parse(list: &'static str, page_size: i32, page_token: &str) -> Result<Self, Invalid> {
        let after = match page_token {
            "" => None,
            token => Some(unwrap(list, token).ok_or_else(|| Why::PageToken.of("page_token"))?),
        };
        Ok(Self { list, size: size(page_size), after })
    }

    /// The page of `items`, each under its key, in whatever order they come; `form` gives each its form in the answer.
    /// Holds one page at a time, however many items there are.
    pub(crate) fn of<K: Ord + AsRef<[u8]>, T, M: Message>(
        &self,
        items: impl Iterator<Item = (K, T)>,
        form: impl Fn(T) -> M,
    ) -> Page<M> {
        let (held, mut more) = self.smallest(items);
        let mut page = Page { items: Vec::with_capacity(held.len()), next: String::new() };
        let (mut bytes, mut last) = (0, None);
        for (key, item) in held {
            let item = form(item);
            bytes += item.encoded_len();
            if bytes > MAX_PAGE_BYTES && last.is_some() {
                more = true;
                break;
            }
            page.items.push(item);
            last = Some(key);
        }
        if let Some(last) = last.filter(|_| more) {
            page.next = wrap(self.list, last.as_ref());
        }
        page
    }

    /// The items with the smallest keys after where the page begins, as many as it may have, and whether there are more.
    fn smallest<K: Ord + AsRef<[u8]>, T>(
        &self,
        items: impl Iterator<Item = (K, T)>,
    ) -> (BTreeMap<K, T>, bool) {
        let mut held = BTreeMap::new();
        let mut more = false;
        for (key, item) in items {
            if self.after.as_ref().is_some_and(|after| key.as_ref() <= after.as_slice()) {
                continue;
            }
            let full = held.len() == self.size;
            more |= full;
            if full && held.last_key_value().is_some_and(|(last, _)| key > *last) {
                continue;
            }
            held.insert(key, item);
            if held.len() > self.size {
                held.pop_last();
            }
        }
        (held, more)
    }
}

/// The number of items a request asks for: clamped, never refused (AIP-158).
pub(crate) fn size(page_size: i32) -> usize {
    match usize::try_from(page_size) {
        Ok(0) | Err(_) => DEFAULT_PAGE,
        Ok(size) => size.min(MAX_PAGE),
    }
}

fn wrap(list: &str, key: &[u8]) -> String {
    [list.as_bytes(), b"/", key].concat().iter().fold(String::new(), |mut token, byte| {
        write!(token, "{byte:02x}").expect("a string takes every text");
        token
    })
}

fn unwrap(list: &str, token: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = token.as_bytes().as_chunks::<2>() else { return None };
    let byte = |pair: &[u8; 2]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    let bytes = pairs.iter().map(byte).collect::<Option<Vec<u8>>>()?;
    Some(bytes.strip_prefix(list.as_bytes())?.strip_prefix(b"/")?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_pages(size: i32) -> Vec<Vec<u32>> {
        let items = [3, 1, 2, 5, 4];
        let mut pages = Vec::new();
        let mut token = String::new();
        loop {
            let wanted = Wanted::parse("numbers", size, &token).expect("a token of this list");
            let page = wanted.of(items.iter().map(|item| (format!("{item}"), *item)), |item: u32| item);
            pages.push(page.items);
            if page.next.is_empty() {
                return pages;
            }
            token = page.next;
        }
    }

    #[test]
    fn pages_together_are_the_list_in_order() {
        assert_eq!(all_pages(2), [vec![1, 2], vec![3, 4], vec![5]]);
        assert_eq!(all_pages(5), [vec![1, 2, 3, 4, 5]], "a full last page has no next one");
        assert_eq!(all_pages(0), [vec![1, 2, 3, 4, 5]]);
    }

    #[test]
    fn a_page_of_large_items_ends_before_the_largest_message_and_goes_on() {
        let wanted = Wanted::parse("texts", 10, "").expect("the first page");
        let text = |_: &str| "x".repeat(MAX_PAGE_BYTES / 3);
        let page = wanted.of(["a", "b", "c", "d"].into_iter().map(|key| (key, key)), text);
        assert_eq!(page.items.len(), 2);
        let wanted = Wanted::parse("texts", 10, &page.next).expect("its token");
        let page = wanted.of(["a", "b", "c", "d"].into_iter().map(|key| (key, key)), text);
        assert_eq!((page.items.len(), page.next.as_str()), (2, ""));
    }

    #[test]
    fn a_page_size_is_clamped_and_never_refused() {
        for (asked, given) in [(i32::MIN, DEFAULT_PAGE), (0, DEFAULT_PAGE), (1, 1), (i32::MAX, MAX_PAGE)] {
            assert_eq!(size(asked), given);
        }
    }

    #[test]
    fn a_token_of_another_list_or_of_nobody_is_refused() {
        let token = wrap("servers", b"a");
        for token in [token.as_str(), "zz", "6", "é6", "+1"] {
            assert!(Wanted::parse("numbers", 1, token).is_err(), "{token}");
        }
    }
}
