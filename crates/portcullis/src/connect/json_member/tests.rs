//! What an edit of JSON leaves alone, and what it refuses.

use jsonc_parser::json;

use super::*;

fn member(prompt: bool) -> JsonMember {
    JsonMember {
        dialect: Dialect::WithComments,
        table: "servers",
        name: "gw".to_owned(),
        value: json!({ "url": "https://gw.example/", "headers": { "A": "b" } }),
        prompt: prompt.then(|| Prompt {
            id: "gw-token".to_owned(),
            value: json!({ "id": "gw-token", "password": true }),
        }),
    }
}

fn added(text: &str) -> String {
    match member(false).put_into(text).expect("it can be put in") {
        Merged::Added(text) => text,
        other => panic!("{other:?}"),
    }
}

/// Whether `text` is `longer` without some of its characters.
fn is_kept_in(text: &str, longer: &str) -> bool {
    let mut rest = longer.chars();
    text.chars().all(|wanted| rest.any(|found| found == wanted))
}

#[test]
fn every_byte_that_was_there_stays_in_its_order() {
    for text in [
        "{}",
        "{ }\n",
        "{\"servers\":{}}",
        "{\"servers\":{\"a\":{\"url\":\"x\"}},\"z\":1}",
        "{\n  // first\n  \"servers\": {\n    \"a\": {}, // behind a\n    // below a\n  },\n  /* last */\n}\n// end\n",
        "{\r\n\t\"servers\": {\r\n\t\t\"a\": { \"n\": 1.50e+3, \"s\": \"\\u00e9\\/\" }\r\n\t}\r\n}\r\n",
        "// before\n{\"b\": [1, 2,\n 3], \"servers\" : {\"a\":null}\n}",
    ] {
        let after = added(text);
        assert!(is_kept_in(text, &after), "{text:?} became {after:?}");
        assert_eq!(member(false).put_into(&after).unwrap(), Merged::Unchanged, "{after:?}");
    }
}

#[test]
fn a_comment_stays_with_what_it_was_written_about() {
    let text = "{\n  \"servers\": {\n    \"a\": {} // about a\n  }\n}\n";
    assert_eq!(
        added(text),
        "{\n  \"servers\": {\n    \"a\": {}, // about a\n    \"gw\": {\n      \"url\": \"https://gw.example/\",\n      \
         \"headers\": {\n        \"A\": \"b\"\n      }\n    }\n  }\n}\n"
    );
}

#[test]
fn an_entry_of_the_same_name_is_replaced_where_it_stands() {
    let text =
        "{\n  \"servers\": {\n    // mine\n    \"gw\": { \"command\": \"x\" },\n    \"z\": {}\n  }\n}\n";
    let Merged::Replaced(after) = member(false).put_into(text).unwrap() else { panic!("it was there") };
    assert!(after.starts_with("{\n  \"servers\": {\n    // mine\n    \"gw\": {\n      \"url\""), "{after}");
    assert!(after.ends_with("    },\n    \"z\": {}\n  }\n}\n"), "{after}");
}

#[test]
fn an_entry_that_says_the_same_in_another_form_is_left_alone() {
    let text =
        "{\"servers\": {\"gw\": {\"headers\": {\"A\": \"\\u0062\"}, \"url\": \"https://gw.example/\"}}}";
    assert_eq!(member(false).put_into(text).unwrap(), Merged::Unchanged);
}

#[test]
fn a_prompt_is_added_once_and_keeps_its_own_wording() {
    let text = "{\n  \"inputs\": [\n    { \"id\": \"gw-token\", \"description\": \"mine\" }\n  ]\n}\n";
    let Merged::Added(after) = member(true).put_into(text).unwrap() else { panic!("the entry is new") };
    assert_eq!(after.matches("gw-token").count(), 1, "{after}");
    let Merged::Added(after) = member(true).put_into("").unwrap() else { panic!("the entry is new") };
    assert_eq!(after.matches("gw-token").count(), 1, "{after}");
    assert_eq!(member(true).put_into(&after).unwrap(), Merged::Unchanged);
}

#[test]
fn what_the_client_would_not_read_is_refused_with_its_place_and_without_its_text() {
    for (text, reason) in [
        ("{\n  \"secret-canary\": 1", "line 1 column 1"),
        ("{\n  \"secret-canary\" 1\n}", "line 2"),
        ("[]", "no object at its top"),
        ("{\"servers\": [\"secret-canary\"]}", "`servers` in the file is not an object"),
        ("{\"servers\": {}, \"servers\": {}}", "`servers` twice"),
        ("{\"servers\": {\"gw\": 1, \"g\\u0077\": \"secret-canary\"}}", "`gw` twice"),
    ] {
        let error = format!("{:#}", member(false).put_into(text).expect_err(text));
        assert!(error.contains(reason), "{text:?}: {error}");
        assert!(!error.contains("canary"), "{error}");
    }
}

#[test]
fn a_client_that_reads_no_comments_gets_no_file_with_comments() {
    let strict = JsonMember { dialect: Dialect::Strict, ..member(false) };
    for text in ["// a\n{}", "{\"a\": 1,}", "{a: 1}", "{'a': 1}"] {
        assert!(strict.put_into(text).is_err(), "{text}");
    }
    assert!(strict.put_into("{\"a\": 1}").is_ok());
}
