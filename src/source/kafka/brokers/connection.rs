//! One connection to one broker: requests and their answers, one after the other, in the newest versions that
//! both sides know.
//!
//! What carries the bytes (TCP, TLS, a port-forward) is [`super::dial`]'s matter.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{ApiVersionsRequest, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes, VersionRange};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::net::failure::Failure;

/// The longest answer that is read: a cluster with 100,000 partitions is a few megabytes.
const LONGEST: usize = 64 << 20;

/// Requests after which a broker that wants TLS or SASL has hung up: it may still say which versions it
/// knows.
const STRANGERS: i32 = 2;

/// Anything that carries bytes to a broker.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection. After a failure, or a request that was not waited for, it is of no more use.
pub(super) struct Connection {
    /// What it is called in sentences: `broker kafka-0.kafka:9092`.
    pub name: String,
    stream: Box<dyn Stream>,
    versions: BTreeMap<i16, VersionRange>,
    sent: i32,
}

impl Connection {
    /// Asks what the broker understands.
    pub async fn open(name: String, stream: Box<dyn Stream>) -> Result<Self, Failure> {
        let mut connection = Self { name, stream, versions: BTreeMap::new(), sent: 0 };
        // The oldest form: every broker answers it, whatever else it knows.
        let answer = connection.send(&ApiVersionsRequest::default(), 0).await?;
        connection.succeeded("which requests it knows", answer.error_code)?;
        let ranges = answer
            .api_keys
            .iter()
            .map(|api| (api.api_key, VersionRange { min: api.min_version, max: api.max_version }));
        connection.versions = ranges.collect();
        Ok(connection)
    }

    /// The newest version of a request that both sides know.
    pub fn version<R: Request>(&self) -> Option<i16> {
        let both = self.versions.get(&R::KEY)?.intersect(&R::VERSIONS);
        (!both.is_empty()).then_some(both.max)
    }

    /// One request, in the newest version that both sides know.
    pub async fn ask<R: Request>(&mut self, request: &R) -> Result<R::Response, Failure> {
        let version = self.version::<R>().ok_or_else(|| {
            let name = &self.name;
            Failure::Rejected(format!(
                "{name} is of a version of Kafka that warroom does not speak (request {})",
                R::KEY
            ))
        })?;
        self.send(request, version).await
    }

    async fn send<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response, Failure> {
        self.sent = self.sent.wrapping_add(1);
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_correlation_id(self.sent)
            .with_client_id(Some(StrBytes::from_static_str("warroom")));
        let mut frame = BytesMut::zeroed(4);
        let encoded = header
            .encode(&mut frame, R::header_version(version))
            .and_then(|()| request.encode(&mut frame, version));
        encoded.map_err(|error| Failure::Rejected(format!("{} cannot be asked: {error}", self.name)))?;
        let length = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX);
        frame[..4].copy_from_slice(&length.to_be_bytes());
        let answer = match self.exchange(&frame).await {
            Ok(answer) => answer?,
            Err(error) => {
                let early = if self.sent <= STRANGERS { "; does it want TLS, or SASL?" } else { "" };
                return Err(Failure::Lost(format!("{} hung up: {error}{early}", self.name)));
            }
        };
        self.decode::<R>(answer, version)
    }

    async fn exchange(&mut self, frame: &[u8]) -> std::io::Result<Result<Bytes, Failure>> {
        self.stream.write_all(frame).await?;
        self.stream.flush().await?;
        let length = self.stream.read_u32().await? as usize;
        if length > LONGEST {
            return Ok(Err(Failure::Lost(format!(
                "{} does not answer in Kafka's protocol: is this its plain or its TLS port?",
                self.name
            ))));
        }
        let mut answer = BytesMut::zeroed(length);
        self.stream.read_exact(&mut answer).await?;
        Ok(Ok(answer.freeze()))
    }

    fn decode<R: Request>(&self, mut answer: Bytes, version: i16) -> Result<R::Response, Failure> {
        let garbage = || Failure::Lost(format!("{}'s answer cannot be read", self.name));
        let header = ResponseHeader::decode(&mut answer, R::Response::header_version(version))
            .map_err(|_| garbage())?;
        if header.correlation_id != self.sent {
            return Err(garbage());
        }
        let response = R::Response::decode(&mut answer, version).map_err(|_| garbage())?;
        if answer.has_remaining() { Err(garbage()) } else { Ok(response) }
    }

    /// Ends it, as a broker does that has not heard of us for long.
    #[cfg(test)]
    pub async fn close(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// An answer's error code as a sentence: `what` is what was asked for.
    pub fn succeeded(&self, what: &str, code: i16) -> Result<(), Failure> {
        let Some(error) = ResponseError::try_from_code(code) else { return Ok(()) };
        let said = format!("{} does not tell {what}: {error}", self.name);
        Err(match error {
            ResponseError::ClusterAuthorizationFailed | ResponseError::GroupAuthorizationFailed => {
                Failure::Forbidden(format!("{said}; grant Describe on the cluster, its groups and topics"))
            }
            ResponseError::CoordinatorLoadInProgress
            | ResponseError::CoordinatorNotAvailable
            | ResponseError::NotCoordinator => {
                Failure::Busy { message: format!("{said}; its groups are moving"), wait: None }
            }
            _ => Failure::Lost(said),
        })
    }
}

/// Whether the code says that a right is missing.
pub(super) fn denied(code: i16) -> bool {
    use ResponseError::{ClusterAuthorizationFailed, GroupAuthorizationFailed, TopicAuthorizationFailed};
    matches!(
        ResponseError::try_from_code(code),
        Some(ClusterAuthorizationFailed | GroupAuthorizationFailed | TopicAuthorizationFailed)
    )
}
