//! Releases of Helm: a Secret for each revision, as Helm keeps them (`helm/pkg/storage/driver/secrets.go`).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use miniz_oxide::deflate::compress_to_vec;
use serde_json::{Value, json};

use super::Cluster;
use super::chart::NAMESPACE;
use super::kind::SECRET;
use crate::sim::json::{label, timestamp};

/// The release that the chart is installed as.
const RELEASE: &str = "medcontracthub";

/// Records that a version was installed as the next revision; those before it are superseded.
pub(super) fn record(cluster: &mut Cluster, version: &str) {
    let kept: Vec<_> = cluster
        .store
        .list(&SECRET, Some(NAMESPACE))
        .filter(|secret| label(secret.value(), "name") == Some(RELEASE))
        .map(|secret| secret.key().1)
        .collect();
    for name in &kept {
        cluster.store.update(&SECRET, NAMESPACE, name, |secret| {
            secret["metadata"]["labels"]["status"] = json!("superseded");
        });
    }
    let revision = kept.len() + 1;
    let now = cluster.now;
    let labels = json!({
        "owner": "helm", "name": RELEASE, "version": revision.to_string(), "status": "deployed",
        "modifiedAt": now.timestamp().to_string(),
    });
    let name = format!("sh.helm.release.v1.{RELEASE}.v{revision}");
    let release = encoded(&release(version, revision, &timestamp(now)));
    let secret = json!({
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "type": "helm.sh/release.v1", "data": {"release": release},
    });
    cluster.store.create(&SECRET, secret, now);
}

fn release(version: &str, revision: usize, now: &Value) -> Value {
    let description = if revision == 1 { "Install complete" } else { "Upgrade complete" };
    let metadata = json!({
        "apiVersion": "v2", "name": RELEASE, "version": version.trim_start_matches('v'), "appVersion": version,
    });
    json!({
        "name": RELEASE, "namespace": NAMESPACE, "version": revision,
        "info": {"first_deployed": now, "last_deployed": now, "deleted": "", "description": description, "status": "deployed"},
        "chart": {"metadata": metadata, "templates": [], "values": {}},
        "config": {"postgres": {"password": "sim-helm-value"}}, "manifest": "",
    })
}

/// A release as the API server gives it out: base64 of what Helm writes, which is base64 of gzip.
fn encoded(release: &Value) -> String {
    let json = release.to_string().into_bytes();
    let length = u32::try_from(json.len()).unwrap_or_default();
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let gzip = [&head[..], &compress_to_vec(&json, 6), &crc32(&json).to_le_bytes(), &length.to_le_bytes()];
    BASE64_STANDARD.encode(BASE64_STANDARD.encode(gzip.concat()))
}

/// The checksum of gzip (RFC 1952, 8).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_gzips() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
