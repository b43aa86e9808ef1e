//! What `connect` prints: sentences for a person, one object for a program. No token is ever in it.

use std::borrow::Cow;

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    entry::Entry,
    install::{Change, Installed},
    recipe::Recipe,
};
use crate::cli::Output;

/// Shows what belongs into the client's file, and the other ways to get it there.
pub fn recipe(recipe: &Recipe, entry: &Entry, output: Output) -> Result<()> {
    let Recipe { title, file, command, link, then, .. } = recipe;
    let snippet = recipe.member.alone()?;
    let more = json!({ "snippet": snippet, "command": command, "link": link });
    let mut text = format!("{title} reads {}. This belongs into it:\n\n{snippet}\n", file.display());
    text.push_str("To merge it into what is there, run this command again with --install.");
    if let Some(command) = command {
        text.push_str(&format!(" Or let the client do it:\n\n  {command}\n"));
    } else {
        text.push('\n');
    }
    if link.is_some() {
        text.push_str("\nTo pass it on as a link without a token, run this command again with --link.\n");
    }
    print(output, &object(recipe, entry, more), &format!("{text}\n{then}"))
}

/// Shows the link.
pub fn link(recipe: &Recipe, entry: &Entry, link: &str, output: Output) -> Result<()> {
    print(output, &object(recipe, entry, json!({ "link": link })), link)
}

/// Says what was done to the client's file, and what is left to do.
pub fn installed(recipe: &Recipe, entry: &Entry, installed: &Installed, output: Output) -> Result<()> {
    let (name, file) = (&entry.name, installed.file.display());
    let change = match installed.change {
        Change::None => "none",
        Change::Added => "added",
        Change::Replaced => "replaced",
    };
    let done = match installed.change {
        Change::None => format!("{file} has `{name}` already; nothing is changed."),
        Change::Added => format!("Added `{name}` to {file}."),
        Change::Replaced => format!("Replaced `{name}` in {file}."),
    };
    let backup = match &installed.backup {
        Some(backup) => format!("\nThe file as it was: {}", backup.display()),
        None => String::new(),
    };
    let more = json!({ "change": change, "backup": installed.backup });
    print(output, &object(recipe, entry, more), &format!("{done}{backup}\n\n{}", recipe.then))
}

/// How the client comes by the token: a sentence that stands before what else is left to do.
pub fn environment(entry: &Entry, title: &str) -> String {
    if entry.holds_token() {
        return String::new();
    }
    format!(
        "{title} takes the token from its environment. Start it from a shell in which this was done:\n\n  \
         export {}=...   # the token that `portcullis grant issue` printed\n\n",
        entry.variable
    )
}

/// `text` as one word of a shell.
pub fn quoted(text: &str) -> Cow<'_, str> {
    // An entry's URL has no quote in it; brackets of an IPv6 address are a pattern to some shells.
    if text.contains(['[', ']']) { format!("'{text}'").into() } else { text.into() }
}

fn object(recipe: &Recipe, entry: &Entry, more: Value) -> Value {
    let mut object = json!({
        "client": recipe.title,
        "entry": entry.name,
        "url": entry.url,
        "file": recipe.file,
    });
    let (Value::Object(members), Value::Object(more)) = (&mut object, more) else { return object };
    members.extend(more);
    object
}

fn print(output: Output, object: &Value, text: &str) -> Result<()> {
    match output {
        Output::Json => println!("{object:#}"),
        Output::Jsonl => println!("{object}"),
        Output::Table => println!("{}", text.trim_end()),
        Output::Yaml | Output::Token => {
            anyhow::bail!("`connect` prints text, `-o json` or `-o jsonl`")
        }
    }
    Ok(())
}
