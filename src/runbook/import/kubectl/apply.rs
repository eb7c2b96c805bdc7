//! Manifests and patches: what they do to a Service is read from them.

use serde_json::Value;

use super::super::draft::{Cannot, Draft, by_hand};
use super::super::lex::{Token, Word, tokens};
use super::Call;
use crate::event::Danger;

/// Fields of an outlier detection that are inputs of a circuit breaker.
const FIELDS: [&str; 4] = ["consecutive5xxErrors", "interval", "baseEjectionTime", "maxEjectionPercent"];

impl Call<'_> {
    pub(super) fn apply(&self) -> Result<Draft, Cannot> {
        let file = self.args.value(&["-f", "--filename"]).ok_or(Cannot::Native)?;
        if file.literal() != Some("-") {
            let web = file.literal().is_some_and(|file| file.contains("://"));
            if web || !self.args.only(&["-f", "--filename", "-n", "--namespace"]) {
                return Err(Cannot::Native);
            }
            let made =
                Draft::new("apply-manifest", Danger::Change, "Apply a manifest").input("file", Some(file))?;
            return Ok(match self.namespace().as_ref().and_then(Word::literal) {
                Some(namespace) => made.note(format!("the document means namespace {namespace}")),
                None => made,
            });
        }
        let Some(document) = self.document else {
            return by_hand("what is applied comes out of another program");
        };
        match serde_saphyr::from_str::<Value>(document) {
            Ok(manifest) if manifest["kind"] == "DestinationRule" => breaker(&manifest),
            _ => by_hand(
                "a manifest within the document: keep it as a file, for a step of kind apply-manifest",
            ),
        }
    }

    /// A Service whose selector gets a zone is diverted.
    pub(super) fn patch(&self) -> Result<Draft, Cannot> {
        let (kind, name) = self.object()?;
        let patch = self.args.value(&["-p", "--patch"]).and_then(Word::literal).ok_or(Cannot::Native)?;
        let patch: Value = serde_json::from_str(patch).map_err(|_| Cannot::Native)?;
        let selector = patch.pointer("/spec/selector").and_then(Value::as_object).ok_or(Cannot::Native)?;
        let zone = selector.get("zone").and_then(Value::as_str).filter(|_| selector.len() == 1);
        match zone {
            Some(zone) if kind == "service" => {
                let made = Draft::new("traffic-divert", Danger::Change, "Divert a service to a zone");
                let made = made.object("service", "", &name, self.namespace().as_ref())?;
                made.input("zone", single(zone).as_ref())
            }
            _ => Err(Cannot::Native),
        }
    }
}

/// A `DestinationRule` that ejects failing pods.
fn breaker(manifest: &Value) -> Result<Draft, Cannot> {
    let host = manifest["spec"]["host"].as_str().and_then(single);
    let detection = &manifest["spec"]["trafficPolicy"]["outlierDetection"];
    let Some(host) = host.filter(|_| detection.is_object()) else {
        return by_hand(
            "a DestinationRule that ejects no pods: keep it as a file, for a step of kind apply-manifest",
        );
    };
    let namespace = manifest["metadata"]["namespace"].as_str().and_then(single);
    let mut made = Draft::new("circuit-breaker", Danger::Change, "Enable a circuit breaker").object(
        "service",
        "",
        &host,
        namespace.as_ref(),
    )?;
    for field in FIELDS {
        match &detection[field] {
            Value::Null => {}
            Value::String(text) => made = made.input(field, single(text).as_ref())?,
            other => made = made.default(field, other.to_string()),
        }
    }
    Ok(made)
}

/// A value as a word: `<service-name>` is a hole in a manifest too.
fn single(text: &str) -> Option<Word> {
    match tokens(text).ok()?.as_slice() {
        [Token::Word(word)] => Some(word.clone()),
        _ => None,
    }
}
