//! The way to a broker: TCP or a port-forward through the API server, TLS over either, then SASL.
//!
//! Brokers tell each other's addresses as they are seen from where they run. The table `[kafka.map]` says
//! where such an address is to be found from here.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::select_ok;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::connection::{Connection, Stream};
use super::sasl;
use crate::config::{self, HostPort, KafkaTls};
use crate::net::failure::{Failure, root};
use crate::net::stack::install_crypto;
use crate::net::timing::Timing;

/// Opens connections.
pub(super) struct Dialer {
    settings: config::Kafka,
    namespace: String,
    client: kube::Client,
    timing: Timing,
    tls: Option<TlsConnector>,
}

impl Dialer {
    /// Files that TLS needs are read once, here.
    pub fn new(
        settings: config::Kafka,
        namespace: String,
        client: kube::Client,
        timing: Timing,
    ) -> Result<Self, Failure> {
        let tls = settings.tls.as_ref().map(connector).transpose()?;
        Ok(Self { settings, namespace, client, timing, tls })
    }

    /// A connection to whoever answers first of the brokers that are asked first: there is one at least, and
    /// any may be down.
    pub async fn bootstrap(&self) -> Result<Connection, Failure> {
        let (connection, _slower) =
            select_ok(self.settings.bootstrap.0.iter().map(|address| self.dial(address).boxed())).await?;
        Ok(connection)
    }

    /// A connection to one broker, by the address that it tells.
    pub async fn dial(&self, address: &HostPort) -> Result<Connection, Failure> {
        let name = format!("broker {address}");
        let carrier = tokio::time::timeout(self.timing.connect, self.carry(address)).await;
        let carrier = carrier.unwrap_or_else(|_| Err(Failure::silent(&name, self.timing.connect)))?;
        let stream = match &self.tls {
            Some(tls) => secured(tls, address, carrier).await?,
            None => carrier,
        };
        let mut connection = Connection::open(name, stream).await?;
        if let Some(who) = &self.settings.sasl {
            sasl::authenticate(&mut connection, who).await?;
        }
        Ok(connection)
    }

    async fn carry(&self, address: &HostPort) -> Result<Box<dyn Stream>, Failure> {
        if self.settings.port_forward {
            return self.forward(&self.place(address)?).await;
        }
        let found = match self.settings.map.get(address) {
            Some(elsewhere) => elsewhere
                .parse()
                .map_err(|fault: crate::data::Problem| Failure::Rejected(format!("[kafka.map]: {fault}")))?,
            None => address.clone(),
        };
        let lost = |error: std::io::Error| {
            Failure::Lost(format!(
                "cannot reach broker {address}: {error}; set kafka.port_forward, or its place in [kafka.map]"
            ))
        };
        let tcp = TcpStream::connect((found.host.as_str(), found.port)).await.map_err(lost)?;
        tcp.set_nodelay(true).map_err(lost)?;
        Ok(Box::new(tcp))
    }

    async fn forward(&self, place: &PodPort) -> Result<Box<dyn Stream>, Failure> {
        let PodPort { namespace, pod, port } = place;
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let mut forward = pods.portforward(pod, &[*port]).await.map_err(|error| refusal(place, &error))?;
        let stream = forward.take_stream(*port);
        let stream =
            stream.ok_or_else(|| Failure::Lost(format!("no port-forward to port {port} of pod {pod}")))?;
        Ok(Box::new(stream))
    }

    /// The pod behind an address: what the map says; a StatefulSet's pod by its own name; the pod of the
    /// settings for the brokers that are asked first, which a Service's name stands for.
    fn place(&self, address: &HostPort) -> Result<PodPort, Failure> {
        let mapped = self.settings.map.get(address);
        let mut labels = address.host.split('.');
        let first = labels.next().unwrap_or_default();
        let ordinal = first.rsplit_once('-').is_some_and(|(_, number)| number.parse::<u16>().is_ok());
        let at = |namespace: &str, pod: &str, port| PodPort {
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            port,
        };
        match mapped {
            Some(text) => {
                let (namespace, pod) = text.split_once('/').unwrap_or((&self.namespace, text));
                let (pod, port) = pod
                    .rsplit_once(':')
                    .and_then(|(pod, port)| Some((pod, port.parse().ok()?)))
                    .unwrap_or((pod, address.port));
                Ok(at(namespace, pod, port))
            }
            None if ordinal => Ok(at(labels.nth(1).unwrap_or(&self.namespace), first, address.port)),
            None if self.settings.bootstrap.0.contains(address) => {
                Ok(at(&self.namespace, &self.settings.pod, address.port))
            }
            None => Err(Failure::Rejected(format!(
                "a broker tells its address as {address}: name its pod in [kafka.map]"
            ))),
        }
    }
}

/// A port of a pod.
#[derive(Debug, PartialEq, Eq)]
struct PodPort {
    namespace: String,
    pod: String,
    port: u16,
}

fn refusal(place: &PodPort, error: &kube::Error) -> Failure {
    let PodPort { namespace, pod, .. } = place;
    match error {
        kube::Error::Api(status) => match status.code {
            401 => Failure::logged_out(),
            403 => Failure::Forbidden(format!(
                "port-forward to pod {pod} of namespace {namespace} is forbidden: ask for get and create on pods/portforward"
            )),
            404 => Failure::Rejected(format!(
                "there is no pod {pod} in namespace {namespace}: see kafka.pod and [kafka.map]"
            )),
            code => Failure::Lost(format!("port-forward to pod {pod} failed ({code}): {}", status.message)),
        },
        error => Failure::unreachable("the API server", error),
    }
}

/// TLS as the settings want it.
fn connector(tls: &KafkaTls) -> Result<TlsConnector, Failure> {
    install_crypto();
    let wrong =
        |what: &str, error: &dyn std::fmt::Display| Failure::Rejected(format!("[kafka.tls] {what}: {error}"));
    let builder = ClientConfig::builder();
    let builder = match &tls.ca {
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_file_iter(path)
                .map_err(|error| wrong(&path.display().to_string(), &error))?
            {
                let certificate = certificate.map_err(|error| wrong(&path.display().to_string(), &error))?;
                roots.add(certificate).map_err(|error| wrong(&path.display().to_string(), &error))?;
            }
            builder.with_root_certificates(roots)
        }
        None => {
            builder.with_platform_verifier().map_err(|error| wrong("this machine's authorities", &error))?
        }
    };
    let config = match &tls.identity {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect);
            let chain: Vec<_> = chain.map_err(|error| wrong(&cert.display().to_string(), &error))?;
            let own = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| wrong(&key.display().to_string(), &error))?;
            builder.with_client_auth_cert(chain, own).map_err(|error| wrong("cert and key", &error))?
        }
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn secured(
    tls: &TlsConnector,
    address: &HostPort,
    carrier: Box<dyn Stream>,
) -> Result<Box<dyn Stream>, Failure> {
    let name = ServerName::try_from(address.host.clone())
        .map_err(|error| Failure::Rejected(format!("broker {address}: {error}")))?;
    let stream = tls.connect(name, carrier).await.map_err(|error| {
        let why = root(&error);
        Failure::Lost(format!(
            "TLS with broker {address} failed: {why}; is this its TLS port, and ca its authority?"
        ))
    })?;
    Ok(Box::new(stream))
}
