//! The two clients for what changes something at a server at an address. They are the cluster's, with another
//! address: the writer sends no request twice either.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::AUTHORIZATION;
use http::uri::InvalidUri;
use kube::{Client, Config};
use reqwest::Url;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

use super::direct::{Unusable, credential, read};
use crate::config::{Address, Endpoint, Tls};
use crate::net::clock::Clock;
use crate::net::credential::{Credential, Credentials};
use crate::net::failure::{Failure, root};
use crate::net::proxy::Proxy;
use crate::net::stack::Stacks;
use crate::net::timing::Timing;

/// Creates a client that reads and one that writes. What their credentials' file says is read now: they are
/// for one change.
pub async fn clients(
    name: &str,
    address: &Address,
    endpoint: &Endpoint,
    timing: &Timing,
) -> Result<(Client, Client), Failure> {
    build(address, endpoint, timing)
        .await
        .map_err(|why| Failure::Rejected(format!("{name} cannot be asked: {why}")))
}

async fn build(
    address: &Address,
    endpoint: &Endpoint,
    timing: &Timing,
) -> Result<(Client, Client), Unusable> {
    let (mut config, own) = config(address, &endpoint.tls)?;
    let credential = own.map_or_else(|| credential(&endpoint.auth), Ok)?;
    let pass = Credentials::new(credential, Clock::system(), timing.plugin).pass().await?;
    config.headers.extend(pass.header.clone().map(|header| (AUTHORIZATION, header)));
    let proxy = Proxy::choose(&config.cluster_url, None)?;
    let stacks =
        Stacks::build(config, proxy, None, timing).map_err(|error| Unusable::Client(root(&error)))?;
    Ok((Client::new(stacks.reader, "default"), Client::new(stacks.writer, "default")))
}

/// Where and with which TLS; and the credentials that the address itself holds.
fn config(address: &Address, tls: &Tls) -> Result<(Config, Option<Credential>), Unusable> {
    let mut url = Url::parse(address.as_str()).map_err(|error| Unusable::Address(error.to_string()))?;
    let own = (!url.username().is_empty())
        .then(|| Credential::basic(url.username(), url.password().unwrap_or_default()));
    let own = own.transpose()?.map(Credential::Fixed);
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| Unusable::NoHost)?;
    let parsed = url.as_str().parse();
    let mut config = Config::new(parsed.map_err(|error: InvalidUri| Unusable::Address(error.to_string()))?);
    config.accept_invalid_certs = tls.insecure_skip_verify;
    if let Some(path) = &tls.ca_file {
        let bundle = read(path)?;
        let authorities = CertificateDer::pem_slice_iter(&bundle)
            .map(|der| der.map(|der| der.to_vec()))
            .collect::<Result<_, _>>();
        let malformed =
            |error: pem::Error| Unusable::Malformed { path: path.clone(), why: error.to_string() };
        config.root_cert = Some(authorities.map_err(malformed)?);
    }
    if let Some((certificate, key)) = &tls.client {
        config.auth_info.client_certificate_data = Some(BASE64_STANDARD.encode(read(certificate)?));
        config.auth_info.client_key_data = Some(BASE64_STANDARD.encode(read(key)?).into());
    }
    Ok((config, own))
}
