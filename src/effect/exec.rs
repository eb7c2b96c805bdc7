//! A command in a container, once: an argument vector in a pod that is still the one that was meant, its
//! output bounded and cleaned.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Api;
use kube::api::{AttachParams, AttachedProcess};

use super::caller::{Caller, Reply, Unread, root};
use super::output::{Kept, Listener, output};
use crate::clean::Clean;
use crate::event::{Exec, Outcome, Output, Target, Typed};
use crate::step::text;

/// Why nothing is run: the pod that was meant is not what answers to its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotThere {
    /// Another pod has its name now.
    #[error("pod {0} was recreated: look again")]
    Recreated(Clean),
    /// There is no such pod any more.
    #[error("pod {0} is gone: look again")]
    Gone(Clean),
    /// It is not known whether it is still there.
    #[error("pod {pod} cannot be read: {why}")]
    Unread {
        /// The pod.
        pod: Clean,
        /// Why not.
        why: Unread,
    },
}

/// Runs it and tells how it ended. What keeps it from beginning changes nothing, and says so.
pub(super) async fn run(caller: &Caller, exec: &Exec, listener: &Listener) -> Outcome {
    if let Err(why) = still_there(caller, &exec.target).await {
        return Outcome::Rejected { reason: why.to_string().into(), by_reading: false };
    }
    let pods: Api<Pod> = Api::namespaced(caller.client.clone(), &exec.target.namespace);
    let how =
        AttachParams::default().container(exec.container.as_str()).stdin(false).stdout(true).stderr(true);
    let command: Vec<&str> = exec.command.iter().map(Typed::raw).collect();
    let begun = tokio::time::timeout(caller.deadline, pods.exec(&exec.target.name, command, &how)).await;
    match begun {
        Ok(Ok(process)) => {
            let limit = Duration::from_secs(exec.seconds.into());
            Outcome::Read(watched(process, limit, listener).await)
        }
        Ok(Err(kube::Error::Api(status))) => {
            Outcome::Rejected { reason: refusal(&status.message, status.code), by_reading: false }
        }
        Ok(Err(error)) => lost(&root(&error)),
        Err(_) => lost("no answer in time"),
    }
}

/// Reads whether a pod is still the one that was meant.
pub(super) async fn still_there(caller: &Caller, pod: &Target) -> Result<(), NotThere> {
    let Target { namespace, name, .. } = pod;
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}");
    is_meant(pod, caller.get(&path).await)
}

/// Whether a reply is of the pod that was meant.
fn is_meant(target: &Target, reply: Reply) -> Result<(), NotThere> {
    let pod = target.name.clone();
    match reply.read() {
        Ok(found) if *target.uid == *text(&found, "/metadata/uid") => Ok(()),
        Ok(_) => Err(NotThere::Recreated(pod)),
        Err(Unread::Refused(refused)) if refused.code == 404 => Err(NotThere::Gone(pod)),
        Err(why) => Err(NotThere::Unread { pod, why }),
    }
}

fn refusal(message: &str, code: u16) -> Clean {
    if code == 403 { format!("you may not: {message}").into() } else { message.into() }
}

/// Nothing is known of what it did or printed, or whether it ran.
fn lost(why: &str) -> Outcome {
    Outcome::Read(Output { cut: Some(format!("{why}: it may have run").into()), ..Output::default() })
}

/// Reads what it prints until it ends, or for as long as it may take.
async fn watched(mut process: AttachedProcess, limit: Duration, listener: &Listener) -> Output {
    let mut out = Kept::default();
    let mut err = Kept::default();
    let stdout = process.stdout();
    let stderr = process.stderr();
    let status = process.take_status();
    let all = async {
        tokio::join!(out.take(stdout, listener), err.take(stderr, listener));
        match status {
            Some(status) => status.await,
            None => None,
        }
    };
    let ended = tokio::time::timeout(limit, all).await;
    process.abort();
    let (exit, why) = match ended {
        Ok(Some(status)) => (exit(&status), unexplained(&status)),
        Ok(None) => (None, Some("the stream ended without an exit code".to_owned())),
        // Closing the stream ends nothing there: the container's runtime goes on with the program.
        Err(_) => {
            (None, Some(format!("not ended within {} s: it may still run in the container", limit.as_secs())))
        }
    };
    output(exit, why, &[out, err], listener)
}

/// 0 where it succeeded, else the code that the kubelet names.
fn exit(status: &Status) -> Option<i32> {
    if status.status.as_deref() == Some("Success") {
        return Some(0);
    }
    let causes = status.details.as_ref()?.causes.as_ref()?;
    causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"))?.message.as_ref()?.parse().ok()
}

/// Why there is no exit code, in the server's words: the program is not there, the container is gone.
fn unexplained(status: &Status) -> Option<String> {
    let words =
        status.message.as_deref().filter(|words| !words.is_empty()).unwrap_or("the server gave no exit code");
    exit(status).is_none().then(|| words.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::caller::Refused;
    use super::*;
    use crate::event::samples::target;

    #[test]
    fn nothing_is_run_in_another_pod_than_the_one_that_was_meant() {
        let pod = |uid: &str| Reply::Done(json!({"metadata": {"uid": uid}}));
        let refused = |code| Refused { code, reason: Clean::default(), why: "no".into() };
        assert_eq!(is_meant(&target("app"), pod("u")), Ok(()));
        assert_eq!(is_meant(&target("app"), pod("other")), Err(NotThere::Recreated("app".into())));
        let gone = is_meant(&target("app"), Reply::Refused(refused(404)));
        assert_eq!(gone, Err(NotThere::Gone("app".into())));
        let forbidden = is_meant(&target("app"), Reply::Refused(refused(403))).unwrap_err();
        assert_eq!(
            forbidden,
            NotThere::Unread { pod: "app".into(), why: Unread::Refused(refused(403)) },
            "that is no news of the pod"
        );
        assert_eq!(forbidden.to_string(), "pod app cannot be read: no");
    }
}
