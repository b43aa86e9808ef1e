//! One table of a client's TOML file, put in without disturbing the rest: comments, order and the spelling of every
//! other value stay as they were.
//!
//! What must stay true: read as TOML, the new text differs from the old in our table only. That is checked after every
//! edit, because the file belongs to somebody else.

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use toml_edit::{DocumentMut, Item, Table, Value};

use super::recipe::Merged;

/// An entry of the client's table of servers.
pub struct TomlMember {
    /// The table of the top level that holds the servers.
    pub table: &'static str,
    /// The entry's name.
    pub name: String,
    /// The entry.
    pub value: Table,
}

impl TomlMember {
    /// See [`Member::put_into`](super::recipe::Member::put_into).
    pub fn put_into(&self, text: &str) -> Result<Merged> {
        let mut document = read(text)?;
        let (before, ours) = (plain(text)?, plain(&self.value.to_string())?);
        let old = before.get(self.table).and_then(|table| table.get(&self.name));
        if old.and_then(toml::Value::as_table) == Some(&ours) {
            return Ok(Merged::Unchanged);
        }
        let replaces = old.is_some();
        match document.entry(self.table).or_insert_with(headless) {
            Item::Table(table) => match table.get_mut(&self.name).and_then(Item::as_table_mut) {
                // Refilled where it stands, so that it keeps its place and the comment above it.
                Some(old) => {
                    old.clear();
                    old.extend(self.value.clone());
                }
                None => {
                    table.insert(&self.name, Item::Table(self.value.clone()));
                }
            },
            Item::Value(Value::InlineTable(table)) => {
                table.insert(&self.name, Value::InlineTable(self.value.clone().into_inline_table()));
            }
            Item::None | Item::Value(_) | Item::ArrayOfTables(_) => {
                bail!("`{}` in the file is not a table", self.table)
            }
        }
        let after = document.to_string();
        ensure!(
            plain(&after)? == self.expected(before, ours)?,
            "the entry cannot be put in without touching something else: put it in by hand, as --print shows it"
        );
        Ok(if replaces { Merged::Replaced(after) } else { Merged::Added(after) })
    }

    /// What the whole file has to say afterwards.
    fn expected(&self, mut file: toml::Table, ours: toml::Table) -> Result<toml::Table> {
        let table = file.entry(self.table).or_insert_with(|| toml::Table::new().into());
        let table = table.as_table_mut().with_context(|| format!("`{}` is not a table", self.table))?;
        table.insert(self.name.clone(), ours.into());
        Ok(file)
    }
}

/// A table that shows no header of its own, only those of the tables in it.
fn headless() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

fn read(text: &str) -> Result<DocumentMut> {
    text.parse().map_err(|error: toml_edit::TomlError| refused(text, error.span(), error.message()))
}

fn plain(text: &str) -> Result<toml::Table> {
    toml::from_str(text).map_err(|error| refused(text, error.span(), error.message()))
}

/// The place and the reason, without the line itself, which the library's own error would quote: a token may stand there.
fn refused(text: &str, span: Option<std::ops::Range<usize>>, message: &str) -> anyhow::Error {
    let line =
        1 + text.as_bytes()[..span.map_or(0, |span| span.start)].iter().filter(|b| **b == b'\n').count();
    anyhow!("the file is not TOML: line {line}: {}", message.lines().next().unwrap_or_default())
}

#[cfg(test)]
mod tests;
