//! Where a service of HTTP is, and how it lets warroom in: the tables `[prometheus]` and `[alertmanager]`.
//! Secrets are named here, never held: a file, or a variable of the environment.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::data::{Field, Log, Problem, Reader, Value, text_fields};

/// The address of a service: `http://` or `https://`, a host, maybe a port and a path; without a slash at its
/// end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both lead to the same scheme, host and port: what may see one's secrets may see the other's.
    fn alike(&self, other: &Self) -> bool {
        let origin = |address: &Self| {
            address.0.parse::<http::Uri>().ok().map(|uri| (uri.scheme().cloned(), uri.authority().cloned()))
        };
        origin(self) == origin(other)
    }
}

/// Without its password: for sentences.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", &self.0));
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        write!(f, "{scheme}://{}{path}", authority.rsplit_once('@').map_or(authority, |(_, host)| host))
    }
}

impl FromStr for Address {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let uri = text.parse::<http::Uri>().ok();
        let usable = uri.filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
        });
        let fault = || Problem::new(format!("{text:?} is not an address such as \"http://prometheus:9090\""));
        usable.map(|_| Self(text.trim_end_matches('/').to_owned())).ok_or_else(fault)
    }
}

text_fields!(Address);

/// A service of the cluster, reached through the API server: `monitoring/prometheus-operated:9090`,
/// `ops/https:thanos:web/prefix`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InCluster {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The number or the name of its port.
    pub port: String,
    /// Whether it speaks TLS, which the API server then does not verify.
    pub tls: bool,
    /// The path before all its paths, with a slash at its beginning, or empty.
    pub prefix: String,
}

impl InCluster {
    /// Where the API server proxies it.
    pub fn path(&self) -> String {
        let Self { namespace, name, port, tls, prefix } = self;
        let scheme = if *tls { "https:" } else { "" };
        format!("/api/v1/namespaces/{namespace}/services/{scheme}{name}:{port}/proxy{prefix}")
    }
}

impl fmt::Display for InCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, name, port, tls, prefix } = self;
        write!(f, "{namespace}/{}{name}:{port}{prefix}", if *tls { "https:" } else { "" })
    }
}

impl FromStr for InCluster {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let fault = || {
            Problem::new(format!("{text:?} is not a service such as \"monitoring/prometheus-operated:9090\""))
        };
        let named = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
        };
        let (namespace, rest) = text.split_once('/').ok_or_else(fault)?;
        let (service, prefix) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let (tls, service) =
            service.strip_prefix("https:").map_or((false, service), |service| (true, service));
        let (name, port) =
            service.strip_prefix("http:").unwrap_or(service).split_once(':').ok_or_else(fault)?;
        let plain = prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b));
        if ![namespace, name, port].into_iter().all(named) || !plain {
            return Err(fault());
        }
        let [namespace, name, port] = [namespace, name, port].map(str::to_owned);
        Ok(Self { namespace, name, port, tls, prefix: prefix.trim_end_matches('/').to_owned() })
    }
}

text_fields!(InCluster);

/// Where a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// At an address.
    At(Address),
    /// In the cluster, through the API server.
    In(InCluster),
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => address.fmt(f),
            Self::In(service) => service.fmt(f),
        }
    }
}

/// As the command line has it: an address or a service.
impl FromStr for Where {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let neither = || {
            let message = "is neither an address such as \"http://prometheus:9090\" nor a service such as \"monitoring/prometheus:9090\"";
            Problem::new(format!("{text:?} {message}"))
        };
        let found =
            if text.contains("://") { text.parse().map(Self::At) } else { text.parse().map(Self::In) };
        found.map_err(|_: Problem| neither())
    }
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// In a file, which is read again when the secret is refused.
    File(PathBuf),
    /// In a variable of the environment.
    Env(String),
}

/// How a service knows who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// It does not ask.
    #[default]
    Open,
    /// `Authorization: Bearer`.
    Bearer(Secret),
    /// `Authorization: Basic`.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
}

/// How TLS is spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The authorities that are believed besides this machine's, in PEM.
    pub ca_file: Option<PathBuf>,
    /// A certificate to show and its key, in PEM.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Believes any certificate.
    pub insecure_skip_verify: bool,
}

/// Where a service is, and how it lets warroom in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Where it is; without a place it is looked for in the cluster.
    pub place: Option<Where>,
    /// How it knows who asks.
    pub auth: Auth,
    /// How TLS is spoken.
    pub tls: Tls,
}

impl From<Where> for Endpoint {
    fn from(place: Where) -> Self {
        Self { place: Some(place), ..Self::default() }
    }
}

impl Endpoint {
    /// With the place that a flag or a variable names. Secrets were set for a place, and do not go to
    /// another.
    #[must_use]
    pub fn at(self, place: Option<&Where>) -> Self {
        match (place, &self.place) {
            (None, _) => self,
            (Some(Where::At(other)), Some(Where::At(own))) if own.alike(other) => {
                Self { place: place.cloned(), ..self }
            }
            (Some(Where::At(_)), None) => Self { place: place.cloned(), ..self },
            (Some(other), _) => other.clone().into(),
        }
    }

    /// With its files as seen from a folder.
    pub(super) fn seen_from(&mut self, folder: &Path) {
        let secret = match &mut self.auth {
            Auth::Bearer(secret) | Auth::Basic { password: secret, .. } => Some(secret),
            Auth::Open => None,
        };
        let secret =
            secret.and_then(|secret| if let Secret::File(path) = secret { Some(path) } else { None });
        let client = self.tls.client.iter_mut().flat_map(|(certificate, key)| [certificate, key]);
        for path in client.chain(&mut self.tls.ca_file).chain(secret) {
            *path = folder.join(&*path);
        }
    }

    /// Whether there is anything that only an address can make use of.
    fn is_guarded(&self) -> bool {
        self.auth != Auth::Open || self.tls != Tls::default()
    }

    fn read(mut table: Reader<'_>) -> Self {
        let url = table.get::<Address>("url");
        let service = table.get::<InCluster>("service");
        let file = table.get::<String>("bearer_token_file");
        let env = table.get("bearer_token_env");
        let token = one_of(&table, "bearer_token_file", "bearer_token_env", file, env);
        let basic = table.table("basic", "setting of basic").and_then(basic);
        let client = (table.get::<String>("client_cert"), table.get::<String>("client_key"));
        let ca_file = table.get::<String>("ca_file").map(PathBuf::from);
        let insecure_skip_verify = table.get("insecure_skip_verify").unwrap_or(false);
        if url.is_some() && service.is_some() {
            table.fault(Problem::new("both url and service are given: which of them is it?"));
        }
        if token.is_some() && basic.is_some() {
            table.fault(Problem::new("both a bearer token and basic are given: which of them is it?"));
        }
        if client.0.is_some() != client.1.is_some() {
            table.fault(Problem::new("client_cert and client_key belong together: one of them is missing"));
        }
        let tls = Tls {
            ca_file,
            client: client.0.zip(client.1).map(|(c, k)| (c.into(), k.into())),
            insecure_skip_verify,
        };
        let auth = basic.or(token.map(Auth::Bearer)).unwrap_or_default();
        let endpoint = Self { place: url.map(Where::At).or(service.map(Where::In)), auth, tls };
        if matches!(endpoint.place, Some(Where::In(_))) && endpoint.is_guarded() {
            table.fault(Problem::new(
                "the API server hands neither credentials nor certificates on to a service: give url, or leave them out",
            ));
        }
        endpoint
    }
}

impl Field for Endpoint {
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self> {
        Reader::of(value, "setting of this service", log).map(Self::read)
    }
}

fn basic(mut table: Reader<'_>) -> Option<Auth> {
    let user = table.required("user");
    let file = table.get::<String>("password_file");
    let env = table.get("password_env");
    let password = one_of(&table, "password_file", "password_env", file, env);
    if password.is_none() {
        table.fault(Problem::new("\"password_file\" or \"password_env\" is missing"));
    }
    Some(Auth::Basic { user: user?, password: password? })
}

fn one_of(
    table: &Reader<'_>,
    one: &str,
    other: &str,
    file: Option<String>,
    env: Option<String>,
) -> Option<Secret> {
    if file.is_some() && env.is_some() {
        table.fault(Problem::new(format!("both {one} and {other} are given: which of them is it?")));
    }
    file.map(|path| Secret::File(path.into())).or(env.map(Secret::Env))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;

    fn read(text: &str) -> Result<Endpoint, Vec<String>> {
        let read = data::read("c", text, "setting", |root| root.get::<Endpoint>("p"));
        read.map(Option::unwrap_or_default)
            .map_err(|all| all.iter().map(|mistake| mistake.message.clone()).collect())
    }

    #[test]
    fn a_table_says_where_and_how() {
        let endpoint = read(
            "[p]\nurl = 'https://prom.corp/base/'\nbearer_token_file = 'token'\nca_file = '/ca.pem'\nclient_cert = 'c'\nclient_key = 'k'\ninsecure_skip_verify = true",
        );
        let mut endpoint = endpoint.unwrap();
        endpoint.seen_from(Path::new("/etc/warroom"));
        assert_eq!(endpoint.place, Some("https://prom.corp/base".parse().unwrap()));
        assert_eq!(endpoint.auth, Auth::Bearer(Secret::File("/etc/warroom/token".into())));
        let client = Some(("/etc/warroom/c".into(), "/etc/warroom/k".into()));
        assert_eq!(endpoint.tls, Tls { ca_file: Some("/ca.pem".into()), client, insecure_skip_verify: true });
        let basic = read("p.basic = { user = 'me', password_env = 'PASS' }").unwrap();
        assert_eq!(
            (basic.place, basic.auth),
            (None, Auth::Basic { user: "me".into(), password: Secret::Env("PASS".into()) })
        );
    }

    #[test]
    fn what_does_not_fit_together_is_told() {
        for (text, expected) in [
            ("p = { url = 'http://a', service = 'a/b:1' }", "both url and service"),
            (
                "p = { url = 'http://a', bearer_token_file = 'a', bearer_token_env = 'B' }",
                "both bearer_token_file and bearer_token_env",
            ),
            (
                "p = { url = 'http://a', bearer_token_env = 'B', basic = { user = 'u', password_env = 'P' } }",
                "both a bearer token and basic",
            ),
            (
                "p = { url = 'http://a', basic = { user = 'u' } }",
                "\"password_file\" or \"password_env\" is missing",
            ),
            ("p = { url = 'https://a', client_cert = 'c' }", "client_cert and client_key belong together"),
            ("p = { service = 'a/b:1', ca_file = 'c' }", "hands neither credentials nor certificates on"),
            ("p = { service = 'b:1' }", "\"b:1\" is not a service such as"),
            ("p = { token = 'abc' }", "no such setting of this service \"token\""),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.iter().any(|message| message.contains(expected)), "{text}: {said:?}");
        }
    }

    #[test]
    fn a_service_has_its_place_behind_the_api_server() {
        for (text, path) in [
            (
                "monitoring/prometheus-operated:9090",
                "/api/v1/namespaces/monitoring/services/prometheus-operated:9090/proxy",
            ),
            ("ops/https:thanos:web/", "/api/v1/namespaces/ops/services/https:thanos:web/proxy"),
            (
                "vm/vmselect:8481/select/0/prometheus",
                "/api/v1/namespaces/vm/services/vmselect:8481/proxy/select/0/prometheus",
            ),
        ] {
            assert_eq!(text.parse::<InCluster>().unwrap().path(), path);
        }
        for text in ["a:1", "a/b", "a/b:", "A/b:1", "a/b:1/x?y", "a/../b:1", "a/b:1/ x"] {
            assert!(text.parse::<InCluster>().is_err(), "{text}");
        }
        assert_eq!("ops/https:thanos:web/x".parse::<Where>().unwrap().to_string(), "ops/https:thanos:web/x");
        assert!(
            "prometheus:9090".parse::<Where>().unwrap_err().to_string().contains("http://prometheus:9090")
        );
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        let shown = |text: &str| text.parse::<Where>().unwrap().to_string();
        assert_eq!(shown("https://me:s3cret@prom.corp:9090/a@b"), "https://prom.corp:9090/a@b");
        assert_eq!(shown("http://[::1]:9090"), "http://[::1]:9090");
    }

    #[test]
    fn secrets_go_only_where_they_were_set_for() {
        let with = |text: &str| read(&format!("[p]\nbearer_token_env = 'T'\n{text}")).unwrap();
        let flag = |text: &str| Some(text.parse::<Where>().unwrap());
        let sent = |endpoint: Endpoint, place: &str| endpoint.at(flag(place).as_ref()).auth != Auth::Open;
        assert!(sent(with("url = 'https://a:1/x'"), "https://a:1/y"));
        assert!(sent(with(""), "https://a:1"));
        assert!(!sent(with("url = 'https://a:1'"), "https://b:1"));
        assert!(!sent(with("url = 'https://a:1'"), "http://a:1"));
        assert!(!sent(with("url = 'https://a:1'"), "ns/a:1"));
    }
}
