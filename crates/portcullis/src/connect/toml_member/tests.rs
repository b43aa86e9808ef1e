//! What an edit of TOML leaves alone, and what it refuses.

use toml_edit::value;

use super::*;

fn member() -> TomlMember {
    let mut table = Table::new();
    table.insert("url", value("https://gw.example/"));
    table.insert("bearer_token_env_var", value("T"));
    TomlMember { table: "mcp_servers", name: "gw".to_owned(), value: table }
}

const TABLE: &str = "[mcp_servers.gw]\nurl = \"https://gw.example/\"\nbearer_token_env_var = \"T\"\n";

#[test]
fn an_empty_file_gets_the_table_alone() {
    assert_eq!(member().put_into("").unwrap(), Merged::Added(TABLE.to_owned()));
    assert_eq!(member().put_into(TABLE).unwrap(), Merged::Unchanged);
}

#[test]
fn the_rest_of_the_file_stays_byte_for_byte() {
    let text = "# mine\nmodel = 'x' # why\n\n[mcp_servers.a]   # about a\ncommand = \"y\"\n[mcp_servers.a.env]\nK = 0x1f\n\n\
                [profiles.p]\napproval = \"never\"\n# end\n";
    let Merged::Added(after) = member().put_into(text).unwrap() else { panic!("the table is new") };
    assert_eq!(after.replacen(&format!("\n{TABLE}"), "", 1), text);
    assert_eq!(member().put_into(&after).unwrap(), Merged::Unchanged);
}

#[test]
fn a_table_of_the_same_name_is_replaced_where_it_stands() {
    let text = "[mcp_servers.a]\ncommand = \"y\"\n\n# the gateway\n[mcp_servers.gw] # here\nurl = \"http://old/\"\n\
                [mcp_servers.gw.env]\nK = \"v\"\n\n[z]\na = 1\n";
    let Merged::Replaced(after) = member().put_into(text).unwrap() else { panic!("it was there") };
    assert_eq!(
        after,
        "[mcp_servers.a]\ncommand = \"y\"\n\n# the gateway\n[mcp_servers.gw] # here\nurl = \"https://gw.example/\"\n\
         bearer_token_env_var = \"T\"\n\n[z]\na = 1\n"
    );
}

#[test]
fn every_spelling_of_the_table_of_servers_takes_the_entry() {
    for text in [
        "mcp_servers = { a = { url = \"x\" } }\n",
        "mcp_servers.a.url = \"x\"\n",
        "[mcp_servers]\na = { url = \"x\" }\ngw = { url = \"old\" }\n",
        "[mcp_servers]\na.url = \"x\"\n\n[z]\n",
    ] {
        let after = match member().put_into(text).unwrap() {
            Merged::Added(after) | Merged::Replaced(after) => after,
            Merged::Unchanged => panic!("{text:?} has no such entry"),
        };
        assert_eq!(member().put_into(&after).unwrap(), Merged::Unchanged, "{after}");
    }
}

#[test]
fn what_is_not_toml_is_refused_with_its_line_and_without_its_text() {
    for (text, reason) in [
        ("a = 1\nb = secret-canary\n", "line 2"),
        ("a = 1\na = \"secret-canary\"\n", "line 2"),
        ("mcp_servers = \"secret-canary\"\n", "`mcp_servers` in the file is not a table"),
        ("[[mcp_servers]]\na = \"secret-canary\"\n", "`mcp_servers` in the file is not a table"),
    ] {
        let error = format!("{:#}", member().put_into(text).expect_err(text));
        assert!(error.contains(reason), "{text:?}: {error}");
        assert!(!error.contains("canary"), "{error}");
    }
}
