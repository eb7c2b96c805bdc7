//! One frame of a watch in protobuf: the event, in it the object, which says its type before itself
//! (apimachinery `runtime.Unknown`).

use bytes::Bytes;
use prost::Message;

use super::super::wire::{Object, ObjectMeta};
use super::{Cause, Details, Status, Told, bookmark, garbage, gone};
use crate::net::failure::Failure;

/// What protobuf of Kubernetes begins with.
const MAGIC: &[u8] = b"k8s\0";

#[derive(Clone, PartialEq, Message)]
struct WatchEvent {
    #[prost(string, tag = "1")]
    is: String,
    #[prost(message, optional, tag = "2")]
    object: Option<RawExtension>,
}

#[derive(Clone, PartialEq, Message)]
struct RawExtension {
    #[prost(bytes = "bytes", tag = "1")]
    raw: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct Unknown {
    #[prost(bytes = "bytes", tag = "2")]
    raw: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct Bare {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ObjectMeta>,
}

#[derive(Clone, PartialEq, Message)]
struct StatusMessage {
    #[prost(string, tag = "3")]
    message: String,
    #[prost(message, optional, tag = "5")]
    details: Option<StatusDetails>,
    #[prost(int32, tag = "6")]
    code: i32,
}

#[derive(Clone, PartialEq, Message)]
struct StatusDetails {
    #[prost(message, repeated, tag = "4")]
    causes: Vec<StatusCause>,
}

#[derive(Clone, PartialEq, Message)]
struct StatusCause {
    #[prost(string, tag = "1")]
    reason: String,
}

/// Reads one frame of a watch.
pub fn frame<T: Object>(bytes: &Bytes) -> Result<Told<T>, Failure> {
    read(bytes).map_err(|error| garbage("a frame that is no watch event", bytes, &error))
}

fn read<T: Object>(bytes: &Bytes) -> Result<Told<T>, Box<dyn std::error::Error>> {
    let WatchEvent { is, object } = WatchEvent::decode(bytes.clone())?;
    let object = object.unwrap_or_default().raw;
    let object = object.strip_prefix(MAGIC).ok_or("an object that is no protobuf of Kubernetes")?;
    let Unknown { raw } = Unknown::decode(bytes.slice_ref(object))?;
    let metadata =
        || Ok::<_, prost::DecodeError>(Bare::decode(raw.clone())?.metadata.unwrap_or_default().into());
    Ok(match &*is {
        "ERROR" => Told::Error(StatusMessage::decode(raw)?.into()),
        "BOOKMARK" => bookmark(metadata()?),
        "DELETED" => gone(metadata()?),
        _ => Told::Put(T::PROTO.ok_or("protobuf that was not asked for")?(&raw)?),
    })
}

impl From<StatusMessage> for Status {
    fn from(status: StatusMessage) -> Self {
        let causes = |details: StatusDetails| {
            details.causes.into_iter().map(|StatusCause { reason }| Cause { reason }).collect()
        };
        Self {
            code: u16::try_from(status.code).unwrap_or_default(),
            message: status.message,
            details: status.details.map(|details| Details { causes: Some(causes(details)) }),
        }
    }
}
