//! Kafka: what the settings say, what the command line names, what the cluster has; its groups are read once
//! before it is written down.

use super::{Chosen, Finder, ask, service::tell};
use crate::config::{Kafka, KafkaMode};
use crate::net::discovery::{Broker, ServiceKind};
use crate::net::failure::Failure;
use crate::net::resolver::Resolver;
use crate::session;
use crate::source::kafka;

impl Finder<'_> {
    /// Finds and tests; asks, where somebody is there.
    pub(super) async fn kafka(&self) -> color_eyre::Result<Chosen<Kafka>> {
        let set = &self.context.config.settings.kafka;
        let named = self.context.args.kafka.is_some();
        if set.is_none() && !named {
            return self.found().await;
        }
        let from = if named { "the command line" } else { "the settings" };
        let kafka = set.clone().unwrap_or_default().by(self.context.args.kafka.as_ref());
        let tested = self.groups(&kafka).await;
        tell("Kafka", &format!("{} of {from}", place(&kafka)), &tested)?;
        Ok(match tested {
            _ if !named => Chosen::Kept,
            Ok(_) if set.is_none() || self.asks && ask::agreed("  Use it from now on?")? => {
                Chosen::New(Box::new(kafka))
            }
            Err(_) if self.asks && ask::insisted("  Use it all the same?")? => Chosen::New(Box::new(kafka)),
            Ok(_) => Chosen::Kept,
            Err(_) => Chosen::Failed,
        })
    }

    /// The broker of the cluster.
    async fn found(&self) -> color_eyre::Result<Chosen<Kafka>> {
        let broker = match self.discovery.broker().await {
            Ok(Some(broker)) => broker,
            none => {
                let why = "no service with port 9092 whose name tells of Kafka has a pod that is ready; if it is elsewhere, give --kafka";
                tell(
                    "Kafka",
                    "in the cluster",
                    &Err(none.err().unwrap_or_else(|| Failure::Missing(why.into()))),
                )?;
                return Ok(Chosen::Nothing);
            }
        };
        let Broker { namespace, pod, bootstrap } = broker;
        let kafka = Kafka { namespace: Some(namespace), pod, bootstrap, ..Kafka::default() };
        let tested = self.groups(&kafka).await;
        tell("Kafka", &place(&kafka), &tested)?;
        let taken = match tested {
            Ok(_) => !self.asks || ask::agreed("  Read its groups there?")?,
            Err(_) => self.asks && ask::insisted("  Read its groups there all the same?")?,
        };
        Ok(if taken { Chosen::New(Box::new(kafka)) } else { Chosen::Nothing })
    }

    /// Reads the groups once.
    async fn groups(&self, kafka: &Kafka) -> Result<String, Failure> {
        let how = session::kafka(self.wanted.kafka.as_ref().map(|_| kafka.clone()), self.namespace);
        let prometheus =
            Resolver::new(ServiceKind::Prometheus, self.wanted.prometheus.clone(), self.discovery.clone());
        kafka::test(how, self.connection.reader.clone(), &prometheus, &self.wanted.timing).await
    }
}

fn place(kafka: &Kafka) -> String {
    let at = || kafka.namespace.iter().chain([&kafka.pod]).cloned().collect::<Vec<_>>().join("/");
    match kafka.mode {
        KafkaMode::Exec => format!("{}, brokers at {}", at(), kafka.bootstrap),
        KafkaMode::Brokers => format!("brokers at {}", kafka.bootstrap),
        KafkaMode::Prometheus => "what an exporter told Prometheus".to_owned(),
    }
}
