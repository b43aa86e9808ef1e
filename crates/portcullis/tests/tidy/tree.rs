//! The files of the checkout, as the rules see them.
//!
//! Read from disk, not from git, so that the rules also hold in an unpacked archive. What builds and runs leave behind is skipped by name;
//! the list is the one of `.gitignore`. Paths are relative to the repository and use `/`.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold no committed file, wherever they are.
const LEFT_BEHIND: &[&str] = &[".git", ".tools", ".portcullis-dev", "node_modules", "__pycache__", "target"];

/// One committed file.
#[derive(Debug)]
pub struct File {
    /// Relative to the repository, with `/`.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl File {
    /// The file's text; nothing if it is not UTF-8, as in a fuzz corpus.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// The file's name without its folder.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether the whole file is a test: in a `tests` or `benches` folder, or a `tests.rs` beside the code it tests.
    pub fn is_test(&self) -> bool {
        self.name() == "tests.rs" || self.path.split('/').any(|part| part == "tests" || part == "benches")
    }
}

/// All files, ordered by path.
#[derive(Debug)]
pub struct Tree {
    files: Vec<File>,
}

impl Tree {
    /// Reads the checkout that this test was built from.
    pub fn read() -> Tree {
        let root = root();
        let mut files = Vec::new();
        collect(&root, &root, &mut files);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Tree { files }
    }

    /// A tree for testing a rule.
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let files =
            files.iter().map(|(path, text)| File { path: (*path).into(), bytes: (*text).into() }).collect();
        Tree { files }
    }

    /// Every file.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// The Rust files with their text.
    pub fn rust(&self) -> impl Iterator<Item = (&File, &str)> {
        self.files.iter().filter(|file| file.path.ends_with(".rs")).map(|file| {
            let text = file.text().unwrap_or_else(|| panic!("{} is not UTF-8", file.path));
            (file, text)
        })
    }

    /// The file at exactly this path.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the crate lies in crates/portcullis").to_owned()
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("cannot list {}: {e}", folder.display())) {
        let entry = entry.expect("the listing of a folder can be read to its end");
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let kind = entry.file_type().expect("a listed file has a type");
        let relative = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
        if LEFT_BEHIND.contains(&name.as_str()) || name.starts_with("target-") || relative == "docs/book" {
            continue;
        }
        if kind.is_dir() {
            collect(root, &path, files);
        } else if kind.is_file() {
            let bytes = fs::read(&path).unwrap_or_else(|e| panic!("cannot read {relative}: {e}"));
            files.push(File { path: relative, bytes });
        }
    }
}
