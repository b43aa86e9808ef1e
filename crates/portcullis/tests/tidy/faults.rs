//! Each row of `docs/faults.md` is named by a test.
//!
//! "Named" means: the id stands in the name of a test function, in the comment or the attributes above it, or in a documentation
//! example that must not compile. A mention anywhere else (in code, in another comment) does not count, because it tests nothing.

use std::collections::BTreeSet;

use crate::tree::{File, Tree};

/// The page that lists the rows.
const PAGE: &str = "docs/faults.md";

/// Rows that no test names.
pub fn untested(tree: &Tree) -> Vec<String> {
    let page = tree.get(PAGE).and_then(File::text).unwrap_or_default();
    let rows: Vec<(String, &str)> = page.lines().filter_map(row).collect();
    if rows.is_empty() {
        return vec![format!("{PAGE} has no rows")];
    }
    let named: BTreeSet<String> = tree.rust().flat_map(|(_, text)| named_by_tests(text)).collect();
    let missing = rows.into_iter().filter(|(id, _)| !named.contains(id));
    missing.map(|(id, case)| format!("{id}: {case}")).collect()
}

/// A table row that begins with an id: the id and the case.
fn row(line: &str) -> Option<(String, &str)> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    let (id, case) = (cells.next()?, cells.next()?);
    is_id(id).then(|| (id.to_owned(), case))
}

/// The ids in the names and comments of the tests in a Rust file.
fn named_by_tests(text: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    // The comment and attribute lines seen since the last line of code, and whether they make what follows a test.
    let (mut above, mut is_test, mut must_not_compile) = (String::new(), false, false);
    for line in text.lines().map(str::trim) {
        let is_comment = line.starts_with("//");
        if is_comment || line.starts_with('#') {
            is_test |= !is_comment && (line.contains("test]") || line.contains("test("));
            must_not_compile |= is_comment && line.contains("```compile_fail");
            above += line;
            above += "\n";
            continue;
        }
        if is_test && !line.contains("fn ") && !line.is_empty() {
            continue; // the rest of an attribute over several lines
        }
        if is_test {
            named.extend(ids(&above).chain(ids(line)));
        } else if must_not_compile {
            named.extend(ids(&above));
        }
        (above, is_test, must_not_compile) = (String::new(), false, false);
    }
    named
}

/// The ids in a text: `C01` or, inside a name, `c01`, bounded by anything but a letter or a digit.
fn ids(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_uppercase).filter(|word| is_id(word))
}

fn is_id(word: &str) -> bool {
    matches!(word.as_bytes(), [b'A'..=b'F', tens, ones] if tens.is_ascii_digit() && ones.is_ascii_digit())
}

#[test]
fn a_row_counts_as_tested_only_where_a_test_names_it() {
    let page = "| id | case | then |\n|---|---|---|\n| C01 | in a name | x |\n| C02 | above | x |\n\
                | C03 | in code only | x |\n| C04 | a plain comment | x |\n| D20 | does not compile | x |\n";
    let code = "//! About C04.\n\n/// Must not print (D20).\n///\n/// ```compile_fail\n/// ```\npub struct S;\n\n\
                #[test]\nfn c01_is_refused() {\n    let c03 = 1;\n}\n\n/// FAULTS C02.\n\
                #[tokio::test(\n    start_paused = true\n)]\nasync fn it_holds() {}\n\n// C04\nfn f() {}\n";
    let tree = Tree::of(&[(PAGE, page), ("crates/a/src/lib.rs", code)]);
    assert_eq!(untested(&tree), ["C03: in code only", "C04: a plain comment"]);
}

#[test]
fn an_empty_page_is_found() {
    assert_eq!(untested(&Tree::of(&[])), ["docs/faults.md has no rows"]);
}
