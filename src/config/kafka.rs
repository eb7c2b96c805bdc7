//! How Kafka's consumer groups are read: the table `[kafka]` of `config.toml`. Passwords are named here,
//! never held.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::Secret;
use crate::data::{Problem, Reader, names, text_fields};

/// How Kafka's consumer groups are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kafka {
    /// The way to the groups.
    pub mode: KafkaMode,
    /// The brokers that are asked first; in mode `exec` as the broker's pod sees them.
    pub bootstrap: Bootstrap,
    /// Where the brokers' pods are; without one in the session's namespace.
    pub namespace: Option<String>,
    /// Mode `exec`: the pod that `kafka-consumer-groups.sh` runs in. Through port-forward: the bootstrap's
    /// pod, where its name tells none.
    pub pod: String,
    /// Mode `brokers`: TLS.
    pub tls: Option<KafkaTls>,
    /// Mode `brokers`: who warroom is.
    pub sasl: Option<KafkaSasl>,
    /// Mode `brokers`: through the API server, instead of directly.
    pub port_forward: bool,
    /// Mode `brokers`: addresses that the brokers tell, and where they are found: an address, or through
    /// port-forward a pod.
    pub map: BTreeMap<HostPort, String>,
    /// Mode `prometheus`: the exporter's metrics.
    pub metrics: KafkaMetrics,
}

names! {
    /// A way to the consumer groups.
    KafkaMode "way to read Kafka" {
        /// `kafka-consumer-groups.sh` in a broker's pod.
        Exec "exec",
        /// Kafka's own protocol.
        Brokers "brokers",
        /// What an exporter told Prometheus.
        Prometheus "prometheus",
    }
}

/// The pod and the broker are the runbook's own.
impl Default for Kafka {
    fn default() -> Self {
        Self {
            mode: KafkaMode::Exec,
            bootstrap: Bootstrap(vec![HostPort { host: "kafka".into(), port: 9092 }]),
            namespace: None,
            pod: "kafka-0".into(),
            tls: None,
            sasl: None,
            port_forward: false,
            map: BTreeMap::new(),
            metrics: KafkaMetrics::default(),
        }
    }
}

/// A broker's address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    /// A name or an address; an IPv6 address without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for HostPort {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let fault = || Problem::new(format!("{text:?} is not a broker's address such as \"kafka:9092\""));
        let (host, port) = text.trim().rsplit_once(':').ok_or_else(fault)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(fault)?;
        let usable = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || "/@\"[]".contains(c));
        usable.then(|| Self { host: host.to_owned(), port }).ok_or_else(fault)
    }
}

/// Brokers to ask first, one at least: `kafka-0:9092,kafka-1:9092`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap(pub Vec<HostPort>);

impl fmt::Display for Bootstrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
    }
}

impl FromStr for Bootstrap {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        text.split(',').map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

text_fields!(Bootstrap);

/// `--kafka`: a mode, and for `brokers` where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaWay {
    mode: KafkaMode,
    bootstrap: Option<Bootstrap>,
}

impl FromStr for KafkaWay {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        match text.split_once(':') {
            Some(("brokers", brokers)) => {
                Ok(Self { mode: KafkaMode::Brokers, bootstrap: Some(brokers.parse()?) })
            }
            _ => Ok(Self { mode: text.parse()?, bootstrap: None }),
        }
    }
}

/// TLS to the brokers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KafkaTls {
    /// A PEM file of the authorities that are believed, instead of this machine's.
    pub ca: Option<PathBuf>,
    /// warroom's own certificate and its key, PEM files, where the brokers ask for one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

names! {
    /// A SASL mechanism.
    Mechanism "SASL mechanism" {
        /// User and password as they are: only over TLS.
        Plain "plain",
        /// Salted challenge and response, SHA-256.
        ScramSha256 "scram-sha-256",
        /// Salted challenge and response, SHA-512.
        ScramSha512 "scram-sha-512",
    }
}

/// Who warroom is to the brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaSasl {
    /// How that is proved.
    pub mechanism: Mechanism,
    /// The user.
    pub user: String,
    /// Where the password is.
    pub password: Secret,
}

/// The exporter's metrics, each an expression of Prometheus with the labels `consumergroup` (or `group`),
/// `topic` and `partition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaMetrics {
    /// The committed offset; −1 where nothing was committed.
    pub committed: String,
    /// The records not consumed; −1 where that is not known.
    pub lag: String,
    /// The log's end, by topic and partition.
    pub end: String,
    /// The log's beginning, by topic and partition.
    pub start: String,
    /// Live members, by group.
    pub members: String,
}

/// Those of `danielqsj/kafka_exporter`.
impl Default for KafkaMetrics {
    fn default() -> Self {
        Self {
            committed: "kafka_consumergroup_current_offset".into(),
            lag: "kafka_consumergroup_lag".into(),
            end: "kafka_topic_partition_current_offset".into(),
            start: "kafka_topic_partition_oldest_offset".into(),
            members: "kafka_consumergroup_members".into(),
        }
    }
}

impl Kafka {
    /// Reads `[kafka]`.
    pub(super) fn read(mut table: Reader<'_>) -> Self {
        let usual = Self::default();
        Self {
            mode: table.get("mode").unwrap_or(usual.mode),
            bootstrap: table.get("bootstrap").unwrap_or(usual.bootstrap),
            namespace: table.get("namespace"),
            pod: table.get("pod").unwrap_or(usual.pod),
            tls: table.table("tls", "setting of kafka.tls").map(KafkaTls::read),
            sasl: table.table("sasl", "setting of kafka.sasl").and_then(KafkaSasl::read),
            port_forward: table.get("port_forward").unwrap_or(false),
            map: table.table("map", "address").map(map).unwrap_or_default(),
            metrics: table
                .table("metrics", "setting of kafka.metrics")
                .map(KafkaMetrics::read)
                .unwrap_or_default(),
        }
    }

    /// With its files as seen from a folder.
    pub(super) fn seen_from(&mut self, folder: &Path) {
        let tls = self.tls.iter_mut().flat_map(|tls| {
            tls.ca.iter_mut().chain(tls.identity.iter_mut().flat_map(|(cert, key)| [cert, key]))
        });
        let password = self
            .sasl
            .iter_mut()
            .filter_map(|sasl| if let Secret::File(path) = &mut sasl.password { Some(path) } else { None });
        for path in tls.chain(password) {
            *path = folder.join(&*path);
        }
    }

    /// The same with `--kafka` laid over it.
    #[must_use]
    pub fn by(self, way: Option<&KafkaWay>) -> Self {
        let Some(KafkaWay { mode, bootstrap }) = way.cloned() else { return self };
        Self { mode, bootstrap: bootstrap.unwrap_or(self.bootstrap), ..self }
    }
}

/// `"b-1.internal:9094" = "kafka-1:9092"`
fn map(mut table: Reader<'_>) -> BTreeMap<HostPort, String> {
    let found = table.entries::<String>();
    let mut map = BTreeMap::new();
    for (address, place) in found {
        match address.parse() {
            Ok(address) => drop(map.insert(address, place)),
            Err(fault) => table.fault(fault),
        }
    }
    map
}

impl KafkaTls {
    fn read(mut table: Reader<'_>) -> Self {
        let mut path = |key| table.get::<String>(key).map(PathBuf::from);
        let ca = path("ca");
        let cert = path("cert");
        let key = path("key");
        if cert.is_some() != key.is_some() {
            table.fault(Problem::new("\"cert\" and \"key\" go together"));
        }
        Self { ca, identity: cert.zip(key) }
    }
}

impl KafkaSasl {
    fn read(mut table: Reader<'_>) -> Option<Self> {
        let mechanism = table.required("mechanism");
        let user = table.required("user");
        let env = table.get("password_env");
        let file = table.get::<String>("password_file");
        let password = match (env, file) {
            (Some(name), None) => Some(Secret::Env(name)),
            (None, Some(path)) => Some(Secret::File(path.into())),
            _ => {
                table.fault(Problem::new(
                    "one of \"password_env\" and \"password_file\" says where the password is",
                ));
                None
            }
        };
        Some(Self { mechanism: mechanism?, user: user?, password: password? })
    }
}

impl KafkaMetrics {
    fn read(mut table: Reader<'_>) -> Self {
        let usual = Self::default();
        let mut name = |key, usual| table.get(key).unwrap_or(usual);
        Self {
            committed: name("committed", usual.committed),
            lag: name("lag", usual.lag),
            end: name("end", usual.end),
            start: name("start", usual.start),
            members: name("members", usual.members),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_brokers_and_ways_to_them() {
        for text in ["kafka:9092", "10.0.0.1:9094", "[fe80::1]:9092", "a:1,b:2"] {
            assert_eq!(text.parse::<Bootstrap>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "kafka",
            "kafka:",
            ":9092",
            "kafka:0",
            "kafka:99999",
            "http://kafka:9092",
            "a:1,,b:2",
            "me@kafka:1",
        ] {
            assert!(text.parse::<Bootstrap>().is_err(), "{text}");
        }
        let usual = || Kafka { bootstrap: "set:1".parse().unwrap(), ..Kafka::default() };
        for (text, mode, bootstrap) in [
            ("exec", KafkaMode::Exec, "set:1"),
            ("brokers", KafkaMode::Brokers, "set:1"),
            ("brokers:a:1,b:2", KafkaMode::Brokers, "a:1,b:2"),
            ("prometheus", KafkaMode::Prometheus, "set:1"),
        ] {
            let kafka = usual().by(Some(&text.parse().unwrap()));
            assert_eq!((kafka.mode, kafka.bootstrap.to_string().as_str()), (mode, bootstrap), "{text}");
        }
        assert_eq!(usual().by(None), usual());
        let said = |text: &str| text.parse::<KafkaWay>().unwrap_err().to_string();
        assert_eq!(said("broker"), "no such way to read Kafka \"broker\"; did you mean \"brokers\"?");
        assert_eq!(said("brokers:kafka"), "\"kafka\" is not a broker's address such as \"kafka:9092\"");
    }
}
