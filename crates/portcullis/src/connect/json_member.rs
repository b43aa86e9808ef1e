//! One member of a client's JSON file, put in without disturbing the rest: comments, order, indentation, line ends and
//! the spelling of every other value stay as they were.
//!
//! The text is edited, not written anew; only an object that stood on one line is opened up where the member goes in.
//! What must stay true: read as JSON, the new text differs from the old in our member and our prompt only. That is
//! checked after every edit, because the file belongs to somebody else.

use anyhow::{Context as _, Result, bail, ensure};
use jsonc_parser::{
    ParseOptions,
    cst::{CstInputValue, CstNode, CstObject, CstRootNode},
};
use serde_json::Value;

use super::recipe::Merged;

/// What is said of a text that is refused. The causes of both parsers name the place and quote nothing.
const NOT_READABLE: &str = "the file is not the JSON that the client reads";

/// What the client reads beyond JSON itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Nothing.
    Strict,
    /// Comments, and commas behind the last member.
    WithComments,
}

/// An entry of the client's table of servers.
pub struct JsonMember {
    /// What the client reads.
    pub dialect: Dialect,
    /// The member of the top level that holds the servers.
    pub table: &'static str,
    /// The entry's name.
    pub name: String,
    /// The entry.
    pub value: CstInputValue,
    /// The entry of the top level's `inputs` by which the client asks for the token.
    pub prompt: Option<Prompt>,
}

/// How the client asks a person for the token.
pub struct Prompt {
    /// The name by which the entry refers to it.
    pub id: String,
    /// The element of `inputs`, its `id` included.
    pub value: CstInputValue,
}

impl JsonMember {
    /// See [`Member::put_into`](super::recipe::Member::put_into).
    pub fn put_into(&self, text: &str) -> Result<Merged> {
        let text = if text.trim().is_empty() { "{}\n" } else { text };
        let root = self.dialect.read(text)?;
        let before = self.dialect.value(text)?;
        let top = root.object_value().context("the file has no object at its top")?;
        if let Some(prompt) = &self.prompt {
            prompt.put_into(&top)?;
        }
        ensure_single(&top, self.table)?;
        let table = top
            .object_value_or_create(self.table)
            .with_context(|| format!("`{}` in the file is not an object", self.table))?;
        ensure_single(&table, &self.name)?;
        let old = table.get(&self.name);
        let replaces = old.is_some();
        match old {
            Some(old) if before[self.table][&self.name] != plain(&self.value) => {
                old.set_value(self.value.clone());
            }
            Some(_) => {}
            None => {
                table.append(&self.name, self.value.clone());
            }
        }
        let after = root.to_string();
        ensure!(
            self.dialect.value(&after)? == self.expected(before),
            "the entry cannot be put in without touching something else: put it in by hand, as --print shows it"
        );
        Ok(match (after == text, replaces) {
            (true, _) => Merged::Unchanged,
            (false, true) => Merged::Replaced(after),
            (false, false) => Merged::Added(after),
        })
    }

    /// What the whole file has to say afterwards.
    fn expected(&self, mut file: Value) -> Value {
        if let Some(prompt) = &self.prompt {
            if file["inputs"].is_null() {
                file["inputs"] = Value::Array(Vec::new());
            }
            let inputs = file["inputs"].as_array_mut().expect("the edit has found an array, or made one");
            if !inputs.iter().any(|input| input["id"] == prompt.id.as_str()) {
                inputs.push(plain(&prompt.value));
            }
        }
        file[self.table][&self.name] = plain(&self.value);
        file
    }
}

impl Prompt {
    /// Adds the prompt, unless one of its name is there: a person may have given it a description of their own.
    fn put_into(&self, top: &CstObject) -> Result<()> {
        ensure_single(top, "inputs")?;
        let inputs = top.array_value_or_create("inputs").context("`inputs` in the file is not a list")?;
        let is_ours = |input: &Value| input["id"] == self.id.as_str();
        if !inputs.elements().iter().filter_map(CstNode::to_serde_value).any(|input| is_ours(&input)) {
            inputs.append(self.value.clone());
        }
        Ok(())
    }
}

impl Dialect {
    /// The text as a tree that can be edited and written back as it was.
    fn read(self, text: &str) -> Result<CstRootNode> {
        let comments = self == Self::WithComments;
        let options = ParseOptions {
            allow_comments: comments,
            allow_trailing_commas: comments,
            allow_loose_object_property_names: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        };
        CstRootNode::parse(text, &options).context(NOT_READABLE)
    }

    /// What the text says. Where the client reads JSON and nothing else, a parser of JSON and nothing else decides.
    fn value(self, text: &str) -> Result<Value> {
        match self {
            Self::Strict => serde_json::from_str(text).context(NOT_READABLE),
            Self::WithComments => self.read(text)?.to_serde_value().context(NOT_READABLE),
        }
    }
}

/// Of two members of one name, clients read the last and editors show the first.
fn ensure_single(object: &CstObject, name: &str) -> Result<()> {
    let all = object.properties();
    if all.iter().filter(|member| member.decoded_name().as_deref() == Some(name)).count() > 1 {
        bail!("the file has `{name}` twice: remove one of them first");
    }
    Ok(())
}

/// The same value, for comparing and for links.
pub fn plain(value: &CstInputValue) -> Value {
    match value {
        CstInputValue::Null => Value::Null,
        CstInputValue::Bool(truth) => Value::Bool(*truth),
        CstInputValue::Number(text) => {
            Value::Number(text.parse().expect("our own entries carry numbers of JSON only"))
        }
        CstInputValue::String(text) => Value::String(text.clone()),
        CstInputValue::Array(items) => items.iter().map(plain).collect(),
        CstInputValue::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
        }
    }
}

#[cfg(test)]
mod tests;
