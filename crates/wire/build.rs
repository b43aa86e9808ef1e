//! Generates the Rust code of every file under `proto/`, and the descriptor set that the admin API reflects. Needs no
//! `protoc`.

use std::{env, error::Error, fs, path::Path, path::PathBuf};

use prost::Message;

/// Fields that carry a secret or what it could be guessed from: their messages get a `Debug` of our own.
const UNPRINTABLE: [&str; 5] = [
    ".portcullis.admin.v1.SetCredentialRequest",
    ".portcullis.admin.v1.IssueGrantResponse",
    ".portcullis.admin.v1.RotateGrantResponse",
    ".portcullis.admin.v1.CreateOperatorResponse",
    ".portcullis.admin.v1.RotateOperatorTokenResponse",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let descriptors = protox::compile(files, [root])?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    let mut config = tonic_prost_build::Config::new();
    config.skip_debug(UNPRINTABLE);
    tonic_prost_build::configure().compile_fds_with_config(descriptors, config)?;
    Ok(())
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
