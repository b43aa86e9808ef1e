//! TLS towards upstream servers: who is trusted, and how a server's name is checked.
//!
//! rustls with aws-lc-rs and nothing configurable that weakens it: names are verified, HTTP/1.1 is the only protocol
//! offered (one call at a time on a socket is what lets the last check know whose bytes it writes), there is no early
//! data, and no fallback to plain text.

use std::sync::Arc;

use authority::server::Origin;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, InvalidDnsNameError, ServerName, pem::PemObject};

const HTTP_1_1: &[u8] = b"http/1.1";

/// Why the configured certificate authorities cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RootsRefused {
    /// The text is not PEM.
    #[error("the extra certificate authorities are not valid PEM")]
    NotPem(#[source] rustls_pki_types::pem::Error),
    /// A certificate cannot be a root.
    #[error("certificate {position} of the extra certificate authorities cannot be used as one")]
    NotARoot {
        /// Counted from 1.
        position: usize,
        /// What is wrong with it.
        #[source]
        source: rustls::Error,
    },
    /// There is text, and no certificate in it.
    #[error(
        "the extra certificate authorities hold no certificate; each begins with -----BEGIN CERTIFICATE-----"
    )]
    Empty,
}

/// The configuration for every connection: the public roots and those in `extra_roots_pem`.
pub(crate) fn client_config(extra_roots_pem: &[u8]) -> Result<Arc<ClientConfig>, RootsRefused> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let public = roots.len();
    for (index, certificate) in CertificateDer::pem_slice_iter(extra_roots_pem).enumerate() {
        let certificate = certificate.map_err(RootsRefused::NotPem)?;
        let not_a_root = |source| RootsRefused::NotARoot { position: index + 1, source };
        roots.add(certificate).map_err(not_a_root)?;
    }
    if roots.len() == public && !extra_roots_pem.trim_ascii().is_empty() {
        return Err(RootsRefused::Empty);
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("aws-lc-rs supports the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    Ok(Arc::new(config))
}

/// The name, or the address, that the server's certificate has to carry.
pub(crate) fn server_name(origin: &Origin) -> Result<ServerName<'static>, InvalidDnsNameError> {
    ServerName::try_from(origin.host().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_extra_authorities_the_public_ones_are_trusted() {
        let config = client_config(b"\n").expect("nothing to refuse");
        assert_eq!(config.alpn_protocols, [HTTP_1_1.to_vec()]);
        assert!(!config.enable_early_data);
    }

    #[test]
    fn a_file_that_adds_no_authority_is_refused() {
        assert!(matches!(client_config(b"ca.pem"), Err(RootsRefused::Empty)));
        let broken = b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
        assert!(matches!(client_config(broken), Err(RootsRefused::NotPem(_))));
        let not_a_certificate = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(client_config(not_a_certificate), Err(RootsRefused::NotARoot { position: 1, .. })));
    }
}
