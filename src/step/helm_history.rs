//! `helm history`: the revisions of a release of Helm, newest first, from the Secrets that keep them. The
//! list is read as a table, which has their labels and none of their data; then each of the newest by itself,
//! so that one that is too large or damaged leaves the others as they are.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::command::line;
use super::example::fill;
use super::helm_release::Release;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::printed::{self, Printed};
use super::target::{SECRET, is_name};
use super::{Answer, Ctx, Draft, Is, Read, ReadAs, StepKind, Whom, pages, text};
use crate::clean::Clean;
use crate::clean::redact::redact_text;
use crate::event::{Danger, Output, Refusal, Table};
use crate::net::query::escaped;
use crate::units;

const INPUTS: &[InputSpec] = &[
    InputSpec::required("release", InputKind::Text),
    InputSpec::optional("namespace", InputKind::Namespace),
];

const COLUMNS: [&str; 6] = ["REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION", "DESCRIPTION"];
const UNKNOWN: &str = "unknown";

/// Type of the Secrets that keep releases.
const TYPE: &str = "helm.sh/release.v1";

/// Revisions that are read in full; Helm keeps 10 unless it is told otherwise.
const IN_FULL: usize = 20;

pub(super) struct HelmHistory;

impl StepKind for HelmHistory {
    fn name(&self) -> &'static str {
        "helm-history"
    }

    fn danger(&self) -> Danger {
        Danger::Read
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        Place::of(inputs, ctx).map(|_| Vec::new())
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("helm history <release>[ -n <namespace>]", inputs))
    }

    fn plan(&self, inputs: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let place = Place::of(inputs, ctx)?;
        let Place { release, namespace } = place;
        let words = ["helm", "history", release, "-n", namespace, "--kube-context", &ctx.place.context];
        let rights = vec![SECRET.right("list", "", namespace, "")];
        let title = format!("Helm's history of {release}");
        Ok(Draft::look(title, ctx.cluster(), &place.what(), rights, line(&words.map(Into::into))))
    }

    fn looks(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        let place = Place::of(inputs, ctx)?;
        let (pages, secrets) = parts(answers);
        if !secrets.is_empty() {
            return Ok(Vec::new());
        }
        let next = printed::next(&place.path(), &place.what(), pages);
        if !next.is_empty() {
            return Ok(next);
        }
        let kept = kept(&place, pages)?;
        Ok(kept.iter().take(IN_FULL).map(|kept| place.read(kept)).collect())
    }

    fn tell(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Output, Refusal> {
        let place = Place::of(inputs, ctx)?;
        let (pages, secrets) = parts(answers);
        let kept = kept(&place, pages)?;
        let mut table = Table::new(&COLUMNS);
        let rows = kept.iter().enumerate().map(|(at, kept)| kept.row(&release(secrets.get(at)), ctx.now));
        table.rows = rows.collect();
        let cut = pages::shorten(&mut table);
        Ok(Output { cut, ..Output::read(sum(&place, &kept), table) })
    }
}

/// A release and its namespace.
struct Place<'a> {
    release: &'a str,
    namespace: &'a str,
}

impl<'a> Place<'a> {
    fn of(inputs: &'a Inputs, ctx: &'a Ctx) -> Result<Self, Refusal> {
        let release = inputs.needed("release")?;
        if !is_name(release) {
            return Err(Refusal::usage(format!("\"{release}\" is no release of Helm: give its name")));
        }
        let namespace = inputs.namespace("namespace")?.unwrap_or(&ctx.namespace);
        Ok(Self { release, namespace })
    }

    /// What is read, with the right that it needs.
    fn what(&self) -> String {
        format!("Helm's history of {} (right: list secrets in {})", self.release, self.namespace)
    }

    fn path(&self) -> String {
        let labels = format!("owner=helm,name={}", self.release);
        format!("{}?labelSelector={}", SECRET.list(self.namespace), escaped(&labels))
    }

    /// Reads one of the Secrets, by the same right as all.
    fn read(&self, kept: &Kept) -> Read {
        let only = escaped(&format!("metadata.name={}", kept.secret));
        Read {
            whom: Whom::Cluster,
            path: format!("{}?fieldSelector={only}", SECRET.list(self.namespace)),
            what: format!("revision {} of {}", kept.revision, self.release),
            is: Some(Is { kind: "SecretList".to_owned(), place: None }),
            required: false,
            wanted: ReadAs::Objects,
        }
    }
}

/// The pages of the table, and what was read in full.
fn parts(answers: &[Answer]) -> (&[Answer], &[Answer]) {
    let is_page = |answer: &Answer| answer.found().is_some_and(|found| text(found, "/kind") != "SecretList");
    answers.split_at(answers.iter().take_while(|answer| is_page(answer)).count())
}

/// A revision as the labels of its Secret tell it.
struct Kept {
    secret: String,
    revision: u64,
    status: String,
}

/// The revisions that are kept, newest first.
fn kept(place: &Place, pages: &[Answer]) -> Result<Vec<Kept>, Refusal> {
    let table = Printed::of(&place.what(), pages)?;
    let releases = table.rows().filter(|row| ["", TYPE].contains(&row.cell("Type").as_str()));
    let mut kept: Vec<Kept> = releases
        .filter_map(|row| {
            let [secret, status] = [row.name(), row.label("status")].map(str::to_owned);
            Some(Kept { secret, status, revision: row.label("version").parse().ok()? })
        })
        .collect();
    kept.sort_by_key(|kept| std::cmp::Reverse(kept.revision));
    if kept.is_empty() {
        let Place { release, namespace } = place;
        return Err(Refusal::failed(format!(
            "no Secret in {namespace} keeps a release {release} of Helm: see helm list -n {namespace}"
        )));
    }
    Ok(kept)
}

/// The release that one answer holds, or why it is not known.
fn release(answer: Option<&Answer>) -> Result<Release, Clean> {
    match answer {
        Some(Answer::Found(list)) => {
            let secret = list.pointer("/items/0").unwrap_or(&Value::Null);
            Release::of(secret).map_err(|why| Clean::from(why.to_string()))
        }
        Some(Answer::Unknown(why) | Answer::Forbidden(why)) => Err(why.clone()),
        Some(Answer::Missing) => Err("it is gone".into()),
        None => Err(format!("only the newest {IN_FULL} are read in full").into()),
    }
}

impl Kept {
    fn row(&self, release: &Result<Release, Clean>, now: DateTime<Utc>) -> Vec<Clean> {
        let known = release.as_ref().ok();
        let or_unknown = |field: Option<String>| Clean::from(field.unwrap_or_else(|| UNKNOWN.to_owned()));
        let updated = known.and_then(Release::last_deployed).and_then(|at| {
            let at = DateTime::parse_from_rfc3339(at).ok()?.to_utc();
            Some(units::ago(at, now))
        });
        let description = match release {
            Ok(release) => release.description().map(|words| redact_text(words).into_owned()),
            Err(why) => Some(format!("{UNKNOWN}: {why}")),
        };
        vec![
            self.revision.to_string().into(),
            or_unknown(updated),
            or_unknown(Some(self.status.clone()).filter(|status| !status.is_empty())),
            or_unknown(known.and_then(Release::chart)),
            or_unknown(known.and_then(Release::app_version).map(str::to_owned)),
            or_unknown(description),
        ]
    }
}

/// `medcontracthub in ns: revision 3 is deployed`, or `revision 4 is failed, revision 3 is deployed`
fn sum(Place { release, namespace }: &Place, kept: &[Kept]) -> String {
    let told = |kept: &Kept| format!("revision {} is {}", kept.revision, kept.status);
    let newest = kept.first().map(told).unwrap_or_default();
    let deployed = kept.iter().find(|kept| kept.status == "deployed").map(told);
    let deployed = deployed.unwrap_or_else(|| "none is deployed".to_owned());
    let rest = if deployed == newest { String::new() } else { format!(", {deployed}") };
    format!("{release} in {namespace}: {newest}{rest}; {} kept", units::counted(kept.len(), "revision"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::helm_release::tests::kept as secret;
    use super::*;
    use crate::step::samples::{ctx, plan};

    const INPUT: [(&str, &str); 1] = [("release", "shop")];

    fn page(revisions: &[(&str, &str)], goes_on: &str) -> Answer {
        let columns = ["Name", "Type", "Data", "Age"].map(|name| json!({"name": name}));
        let row = |(number, status): &(&str, &str)| {
            let name = format!("sh.helm.release.v1.shop.v{number}");
            let labels = json!({"owner": "helm", "name": "shop", "version": number, "status": status});
            json!({"cells": [name, TYPE, 1, "5m"], "object": {"metadata": {"name": name, "labels": labels}}})
        };
        let mut rows: Vec<Value> = revisions.iter().map(row).collect();
        rows.push(json!({"cells": ["other", "Opaque", 1, "5m"], "object": {"metadata": {"name": "other", "labels": {"version": "99"}}}}));
        let metadata = json!({"continue": goes_on});
        Answer::Found(
            json!({"kind": "Table", "metadata": metadata, "columnDefinitions": columns, "rows": rows}),
        )
    }

    fn full(description: &str) -> Answer {
        let secret = secret(&json!({
            "info": {"last_deployed": "2026-11-21T15:46:32.123456+01:00", "description": description},
            "chart": {"metadata": {"name": "shop", "version": "1.2.3", "appVersion": "v9"}},
            "config": {"key": "hunter2"},
        }));
        Answer::Found(json!({"kind": "SecretList", "items": [secret]}))
    }

    fn told(answers: &[Answer]) -> Output {
        HelmHistory.tell(&INPUT.into_iter().collect(), answers, &ctx()).unwrap()
    }

    fn paths(answers: &[Answer]) -> Vec<String> {
        let reads = HelmHistory.looks(&INPUT.into_iter().collect(), answers, &ctx()).unwrap();
        reads.into_iter().map(|read| read.path).collect()
    }

    #[test]
    fn the_list_is_read_without_data_and_each_release_by_itself() {
        const ALL: &str = "/api/v1/namespaces/ns/secrets?labelSelector=owner%3Dhelm%2Cname%3Dshop&limit=500";
        assert_eq!(paths(&[]), [ALL]);
        let reads = HelmHistory.looks(&INPUT.into_iter().collect(), &[], &ctx()).unwrap();
        assert_eq!(reads[0].wanted, ReadAs::Table);
        let first = page(&[("9", "superseded")], "x");
        assert_eq!(paths(std::slice::from_ref(&first)), [format!("{ALL}&continue=x")]);
        let pages = [first, page(&[("10", "deployed")], "")];
        let one = |number| {
            let name = format!("metadata.name%3Dsh.helm.release.v1.shop.v{number}");
            format!("/api/v1/namespaces/ns/secrets?fieldSelector={name}")
        };
        assert_eq!(paths(&pages), [one(10), one(9)]);
        let [first, second] = pages;
        assert_eq!(paths(&[first, second, full("x"), Answer::Missing]), [] as [&str; 0]);
    }

    #[test]
    fn the_newest_stands_first_and_one_that_cannot_be_read_spoils_no_other() {
        let list = page(&[("2", "superseded"), ("10", "failed"), ("9", "deployed"), ("1", "superseded")], "");
        let broken =
            Answer::Found(json!({"kind": "SecretList", "items": [{"data": {"release": "hunter2"}}]}));
        let large = Answer::Unknown("the answer broke off: length limit exceeded".into());
        let output = told(&[list, full("Upgrade \"shop\" failed"), full("Upgrade complete"), broken, large]);
        let rows: Vec<String> = output.table.clone().unwrap().rows.iter().map(|row| row.join("|")).collect();
        assert_eq!(
            rows,
            [
                "10|2d (2026-11-21 14:46:32Z)|failed|shop-1.2.3|v9|Upgrade \"shop\" failed",
                "9|2d (2026-11-21 14:46:32Z)|deployed|shop-1.2.3|v9|Upgrade complete",
                "2|unknown|superseded|unknown|unknown|unknown: the release is not base64",
                "1|unknown|superseded|unknown|unknown|unknown: the answer broke off: length limit exceeded",
            ]
        );
        let sum = "shop in ns: revision 10 is failed, revision 9 is deployed; 4 revisions kept";
        assert_eq!((&output.lines, &output.cut), (&vec![Clean::new(sum)], &None));
        assert!(!serde_json::to_string(&output).unwrap().contains("hunter2"));
    }

    #[test]
    fn a_release_that_is_not_there_or_can_be_none_is_refused() {
        let inputs: Inputs = INPUT.into_iter().collect();
        let why = HelmHistory.tell(&inputs, &[page(&[], "")], &ctx()).unwrap_err();
        assert_eq!(
            why.reason().as_str(),
            "no Secret in ns keeps a release shop of Helm: see helm list -n ns"
        );
        let why = plan("helm-history", &[("release", "a,owner!=helm")], &[]).unwrap_err();
        assert_eq!(why, "\"a,owner!=helm\" is no release of Helm: give its name");
        let draft = plan("helm-history", &[("release", "shop"), ("namespace", "web")], &[]).unwrap();
        assert_eq!(draft.command.to_copy().unwrap(), "helm history shop -n web --kube-context prod");
        assert_eq!(draft.requests[0].rights[0].namespace.as_str(), "web");
    }
}
