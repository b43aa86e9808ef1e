//! The cluster's own certificate authority, and the admin listener's certificate under it.
//!
//! Made once by `init` and `dev`; a listener certificate is made anew at every start, so that it always fits the
//! configured names and never grows old. What must stay true: the authority's key never leaves its file.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::data_dir::DataDir;

/// Makes the certificate authority of `cluster`, unless it is there.
pub fn create_authority(dir: &DataDir, cluster: &str) -> Result<()> {
    if dir.ca_certificate().exists() {
        return Ok(());
    }
    fs::create_dir_all(dir.tls())?;
    let key = KeyPair::generate()?;
    let params = authority_params(cluster);
    let certificate = params.self_signed(&key)?;
    write_private(&authority_key(dir), key.serialize_pem().as_bytes())?;
    // The certificate comes last: where it is, the key is too.
    write_private(&dir.ca_certificate(), certificate.pem().as_bytes())
}

/// The admin listener's TLS: a fresh certificate under the cluster's authority for `names`.
pub fn admin_tls(dir: &DataDir, cluster: &str, names: Vec<String>) -> Result<Arc<ServerConfig>> {
    let signing = fs::read_to_string(authority_key(dir)).with_context(|| {
        format!("no certificate authority in {}; run `portcullis init` first", dir.tls().display())
    })?;
    let params = authority_params(cluster);
    let issuer = Issuer::from_params(&params, KeyPair::from_pem(&signing)?);
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "portcullis admin");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let mut config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.into()], key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

/// The data listener's TLS, from the operator's own files.
pub fn data_tls(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read the certificate chain {}", certificate.display()))?;
    let key = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("cannot read the private key {}", key.display()))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("[data] certificate and key do not belong together")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Writes a file that only its owner may read, and syncs it. An existing one is replaced whole.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let attempt = || -> std::io::Result<()> {
        let beside = path.with_extension("new");
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    attempt().with_context(|| format!("cannot write {}", path.display()))
}

/// What the authority's certificate says. It is the same each time, so that issuing needs only the key.
fn authority_params(cluster: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, format!("portcullis cluster {cluster}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn authority_key(dir: &DataDir) -> std::path::PathBuf {
    dir.tls().join("ca.key")
}
