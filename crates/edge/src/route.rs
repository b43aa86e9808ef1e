//! Which path means what. There are few, compared byte for byte: no decoding, no dot segments, no case folding, so that
//! a path has one reading (FAULTS C18). Nothing redirects, because a redirect loses a POST's body or its token.

use authority::server;

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/mcp/<server>` or `/mcp/<server>/`.
    Server(server::Id),
    /// Anything else. The OAuth well-known documents are among it on purpose: a clean 404 there tells clients to use
    /// the token they were given and to start no OAuth flow.
    Nowhere,
}

impl Route {
    /// The route of a path, which is the part of the request target before the query. HTTP/1.1 refuses a fragment before
    /// this; of an HTTP/2 `:path` the library cuts one off unseen, and nothing behind it means anything here.
    pub(crate) fn of(path: &str) -> Self {
        let id = path.strip_prefix("/mcp/").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        match id.map(server::Id::parse) {
            Some(Ok(server)) => Self::Server(server),
            Some(Err(_)) | None => Self::Nowhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_server_path_are_the_same() {
        let files = Route::Server(server::Id::parse("files").expect("a name"));
        assert_eq!(Route::of("/mcp/files"), files);
        assert_eq!(Route::of("/mcp/files/"), files);
    }

    #[test]
    fn c18_no_other_spelling_reaches_a_server() {
        for path in [
            "/mcp/",
            "/mcp",
            "/mcp//files",
            "/mcp/files//",
            "/mcp/files/x",
            "/mcp/../admin",
            "/mcp/%2e%2e",
            "/mcp/files%2f",
            "/mcp/%66iles",
            "/mcp/files;a=b",
            "/mcp/files#",
            "/mcp/fi#les",
            "/mcp/Files",
            "/mcp/files\0",
            "/mcp/./files",
            "/MCP/files",
            "//mcp/files",
            "/mcp/fi\u{f6}les",
            "/.well-known/oauth-protected-resource",
            "/.well-known/oauth-protected-resource/mcp/files",
            "/.well-known/oauth-authorization-server",
            "*",
            "",
        ] {
            assert_eq!(Route::of(path), Route::Nowhere, "{path:?}");
        }
    }
}
