//! A release of Helm as a Secret keeps it: base64 of JSON, compressed where it begins as gzip does
//! (`decodeRelease` in `helm/pkg/storage/driver/util.go`). Of all that is in there only what `helm history`
//! prints is read: neither values nor manifests ever leave this file.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::Deserialize;
use serde_json::Value;

use super::text;

/// Bytes of a release that are unpacked at most: a Secret holds 1 MiB of it.
const MOST: usize = 32 << 20;

/// What a release says of itself. Every field can be absent.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Release {
    info: Option<Info>,
    chart: Option<Chart>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Info {
    last_deployed: Option<String>,
    description: Option<String>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Chart {
    metadata: Option<Metadata>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    name: Option<String>,
    version: Option<String>,
    app_version: Option<String>,
}

/// Why a release cannot be read. The words hold nothing of what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// The Secret has no field `release`.
    #[error("the Secret holds no release")]
    Missing,
    /// It is not base64 of base64.
    #[error("the release is not base64")]
    Encoding,
    /// It does not unpack, or becomes too large.
    #[error("the release does not unpack")]
    Compression,
    /// It is not the JSON of a release.
    #[error("the release is not the JSON of one")]
    Form,
}

impl Release {
    /// Reads the release that a Secret keeps.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) fn of(secret: &Value) -> Result<Self, Unreadable> {
        let kept = Some(text(secret, "/data/release")).filter(|kept| !kept.is_empty());
        let decode = |bytes: &[u8]| BASE64_STANDARD.decode(bytes).map_err(|_| Unreadable::Encoding);
        let bytes = decode(&decode(kept.ok_or(Unreadable::Missing)?.as_bytes())?)?;
        let json = if bytes.starts_with(&MAGIC) { gunzip(&bytes)? } else { bytes };
        serde_json::from_slice(&json).map_err(|_| Unreadable::Form)
    }

    /// Returns the name and version of its chart: `medcontracthub-1.2.3`.
    pub(super) fn chart(&self) -> Option<String> {
        let metadata = self.metadata()?;
        Some(format!("{}-{}", metadata.name.as_ref()?, metadata.version.as_ref()?))
    }

    /// Returns the version of the application that its chart installs; empty where the chart names none.
    pub(super) fn app_version(&self) -> Option<&str> {
        Some(self.metadata()?.app_version.as_deref().unwrap_or_default())
    }

    /// Returns what came of it, in Helm's words: `Upgrade complete`.
    pub(super) fn description(&self) -> Option<&str> {
        self.info.as_ref()?.description.as_deref()
    }

    /// Returns when it was deployed last (RFC 3339).
    pub(super) fn last_deployed(&self) -> Option<&str> {
        self.info.as_ref()?.last_deployed.as_deref()
    }

    fn metadata(&self) -> Option<&Metadata> {
        self.chart.as_ref()?.metadata.as_ref()
    }
}

/// How gzip begins, with its only method of compression (RFC 1952, 2.3.1).
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// Unpacks one member of gzip (RFC 1952). Its length is held against what was written down; its checksum is
/// not, for what is damaged is no JSON.
fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let inside = deflated(bytes).ok_or(Unreadable::Compression)?;
    let whole = decompress_to_vec_with_limit(inside, MOST).map_err(|_| Unreadable::Compression)?;
    let told = bytes.last_chunk::<4>().map(|length| u32::from_le_bytes(*length));
    (u32::try_from(whole.len()).ok() == told).then_some(whole).ok_or(Unreadable::Compression)
}

/// What is between header and trailer.
fn deflated(bytes: &[u8]) -> Option<&[u8]> {
    let flags = *bytes.get(3)?;
    let has = |bit: u8| flags & bit != 0;
    let mut rest = bytes.get(10..bytes.len().checked_sub(8)?)?;
    if has(4) {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for _ in [8, 16].into_iter().filter(|bit| has(*bit)) {
        rest = rest.get(rest.iter().position(|byte| *byte == 0)? + 1..)?;
    }
    if has(2) { rest.get(2..) } else { Some(rest) }
}

#[cfg(test)]
pub(super) mod tests {
    use miniz_oxide::deflate::compress_to_vec;
    use serde_json::json;

    use super::*;

    /// A member of gzip with these flags and header fields.
    fn gzip(flags: u8, fields: &[u8], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        let head = [&MAGIC[..], &[flags, 0, 0, 0, 0, 0, 255], fields].concat();
        [&head[..], &compress_to_vec(content, 6), &[0; 4], &length].concat()
    }

    /// A Secret that keeps these bytes.
    fn secret(bytes: &[u8]) -> Value {
        json!({"data": {"release": BASE64_STANDARD.encode(BASE64_STANDARD.encode(bytes))}})
    }

    /// A Secret that keeps this release as Helm does.
    pub(in crate::step) fn kept(release: &Value) -> Value {
        secret(&gzip(0, &[], release.to_string().as_bytes()))
    }

    fn release() -> Value {
        json!({
            "info": {"last_deployed": "2026-11-21T14:46:32.5Z", "description": "Upgrade complete", "status": "deployed"},
            "chart": {"metadata": {"name": "shop", "version": "1.2.3", "appVersion": "v9"}, "values": {"password": "hunter2"}},
            "config": {"password": "hunter2"}, "manifest": "kind: Secret",
        })
    }

    #[test]
    fn a_release_is_read_compressed_and_plain_and_nothing_else_of_it() {
        for secret in [kept(&release()), secret(release().to_string().as_bytes())] {
            let read = Release::of(&secret).unwrap();
            assert_eq!(read.chart().as_deref(), Some("shop-1.2.3"));
            assert_eq!((read.app_version(), read.description()), (Some("v9"), Some("Upgrade complete")));
            assert_eq!(read.last_deployed(), Some("2026-11-21T14:46:32.5Z"));
            assert!(!format!("{read:?}").contains("hunter2"));
        }
        let empty = Release::of(&secret(b"{\"info\": null, \"chart\": {}}")).unwrap();
        assert_eq!((empty.chart(), empty.app_version(), empty.description()), (None, None, None));
    }

    #[test]
    fn every_field_of_gzips_header_is_passed_over() {
        let content = release().to_string();
        let read = |flags, fields: &[u8]| Release::of(&secret(&gzip(flags, fields, content.as_bytes())));
        for (flags, fields) in [
            (1, &[][..]),
            (2, b"cc"),
            (4, b"\x03\x00abc"),
            (8, b"name\0"),
            (16, b"comment\0"),
            (31, b"\x01\x00xname\0comment\0cc"),
        ] {
            assert!(read(flags, fields).is_ok(), "{flags}");
        }
        assert_eq!(read(4, b"\xff\xff"), Err(Unreadable::Compression));
    }

    #[test]
    fn what_is_none_is_told_without_what_is_in_it() {
        let why = |secret: &Value| Release::of(secret).unwrap_err();
        assert_eq!(why(&json!({"data": {"other": "aHVudGVyMg=="}})), Unreadable::Missing);
        assert_eq!(why(&json!({"data": {"release": "hunter2!"}})), Unreadable::Encoding);
        assert_eq!(why(&secret(b"\"hunter2\"")), Unreadable::Form);
        let whole = gzip(0, &[], release().to_string().as_bytes());
        for end in 3..whole.len() {
            assert_eq!(why(&secret(&whole[..end])), Unreadable::Compression, "{end} bytes");
        }
        let mut longer = whole.clone();
        longer.truncate(whole.len() - 4);
        longer.extend(7u32.to_le_bytes());
        assert_eq!(why(&secret(&longer)), Unreadable::Compression, "another length");
        let bomb = gzip(0, &[], &vec![b' '; MOST + 1]);
        assert_eq!(why(&secret(&bomb)), Unreadable::Compression, "too large");
    }
}
