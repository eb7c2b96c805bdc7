//! What a path of the API stands for.

use crate::sim::cluster::kind::{self, Kind, NAMESPACE};

/// A kind, perhaps a namespace, perhaps one object and a part of it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) kind: &'static Kind,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
}

impl Target {
    /// Reads `/api/v1/…` and `/apis/GROUP/VERSION/…`.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (namespace, plural, rest) = match rest {
            ["namespaces", namespace, plural, rest @ ..] => (Some(*namespace), *plural, rest),
            [plural, rest @ ..] => (None, *plural, rest),
            [] => return None,
        };
        let kind = kind::find(group, version, plural)?;
        let owned = |part: Option<&&str>| part.map(|part| (*part).to_owned());
        let whole = rest.len() <= 2
            && kind.namespaced >= namespace.is_some()
            && (rest.is_empty() || kind.namespaced == namespace.is_some());
        let target = Self {
            kind,
            namespace: namespace.map(str::to_owned),
            name: owned(rest.first()),
            subresource: owned(rest.get(1)),
        };
        whole.then_some(target)
    }

    /// The namespace, empty where there is none.
    pub(crate) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    /// `pods/log`, or `pods`.
    pub(super) fn resource(&self) -> String {
        self.subresource
            .as_ref()
            .map_or_else(|| self.kind.plural.to_owned(), |part| format!("{}/{part}", self.kind.plural))
    }

    /// The namespace that rights are checked in: a Namespace is in itself.
    pub(super) fn scope(&self) -> Option<&str> {
        if self.kind.name == NAMESPACE.name { self.name.as_deref() } else { self.namespace.as_deref() }
    }
}

/// A stored object's text with its kind and version.
pub(crate) fn with_type(kind: &Kind, json: &str) -> String {
    format!(
        "{{\"apiVersion\":\"{}\",\"kind\":\"{}\",{}",
        kind.api_version(),
        kind.name,
        json.get(1..).unwrap_or("}")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_what_they_stand_for() {
        let shown = |path| {
            let target: Target = Target::parse(path)?;
            Some(
                format!(
                    "{} {:?} {:?} {:?}",
                    target.kind.name, target.namespace, target.name, target.subresource
                )
                .replace('"', ""),
            )
        };
        let cases = [
            ("/api/v1/pods", "Pod None None None"),
            ("/api/v1/namespaces/n/pods/p/log", "Pod Some(n) Some(p) Some(log)"),
            ("/api/v1/namespaces/n", "Namespace None Some(n) None"),
            ("/api/v1/namespaces", "Namespace None None None"),
            ("/apis/apps/v1/namespaces/n/deployments/d/scale", "Deployment Some(n) Some(d) Some(scale)"),
            (
                "/apis/networking.istio.io/v1beta1/namespaces/n/destinationrules",
                "DestinationRule Some(n) None None",
            ),
        ];
        for (path, expected) in cases {
            assert_eq!(shown(path).as_deref(), Some(expected), "{path}");
        }
        for path in [
            "/",
            "/api/v2/pods",
            "/api/v1/nothing",
            "/api/v1/pods/p",
            "/apis/apps/v1beta1/deployments",
            "/api/v1/namespaces/n/nodes",
        ] {
            assert_eq!(shown(path), None, "{path}");
        }
    }
}
