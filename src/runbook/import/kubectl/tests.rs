use super::super::lex::{Token, tokens};
use super::super::pipeline::{Pipeline, pipelines};
use super::super::verb;
use crate::event::Danger;
use crate::runbook::import::draft::{Draft, Input, Variables};

fn draft(line: &str) -> Result<Draft, String> {
    let tokens: Vec<Token> = tokens(line).unwrap();
    let pipelines: Vec<Pipeline> = pipelines(&tokens)?;
    verb::step(&pipelines[0], None, &Variables::new())
}

fn made(line: &str) -> Result<String, String> {
    let draft = draft(line)?;
    let input = |one: &Input| format!("{}={}", one.name, one.default.as_deref().unwrap_or("?"));
    let inputs = draft.inputs.iter().map(input).collect::<Vec<_>>().join(" ");
    Ok(format!("{} {inputs}", draft.kind).trim().to_owned())
}

#[test]
fn verbs_become_the_steps_that_do_the_same() {
    for (line, expected) in [
        ("kubectl get po -A | grep -v Running | sort", "pods-not-running"),
        (
            "kubectl -n shop get pods --field-selector=status.phase!=Running",
            "pods-not-running namespace=shop",
        ),
        ("kubectl get no -o wide", "nodes"),
        ("kubectl get events -n shop | head -n 5", "recent-events namespace=shop count=5"),
        (
            "kubectl logs -f -l app=api -n shop --tail 20 -c main",
            "logs app=api namespace=shop tail=20 container=main",
        ),
        ("kubectl logs deploy/api", "logs app=api"),
        (
            "kubectl exec -n shop deploy/api -c main -- npm test",
            "exec-check workload=shop/deployment/api command=npm test container=main",
        ),
        ("kubectl exec kafka-0 -- ls '/a b'", "exec-check workload=statefulset/kafka command=ls '/a b'"),
        ("kubectl exec POD -- jmap -dump:file=/x 7", "heap-dump pod=? process=7"),
        ("kubectl cp shop/<pod>:/x ./y", "copy-out pod=? path=/x"),
        ("kubectl scale --replicas 3 deploy api", "scale deployment=api replicas=3"),
        ("kubectl rollout restart sts/cache -n shop", "restart workload=shop/statefulset/cache"),
        ("kubectl rollout undo <deployment>", "rollout-undo deployment=?"),
        ("kubectl set env deploy/api A=b,c D-", r"set-env deployment=api env=A=b\,c,D-"),
        ("kubectl set env deploy/api A=<value>", "set-env deployment=api env=?"),
        ("kubectl delete pod api-1 -n shop", "delete-pod pod=shop/api-1"),
        ("kubectl drain node/<node> --ignore-daemonsets", "drain node=?"),
        (
            "kubectl patch svc api -p '{\"spec\":{\"selector\":{\"zone\":\"a\"}}}'",
            "traffic-divert service=api zone=a",
        ),
        ("kubectl apply -f x.yaml", "apply-manifest file=x.yaml"),
    ] {
        assert_eq!(made(line).as_deref(), Ok(expected), "{line}");
    }
}

#[test]
fn what_is_run_in_a_pod_reads_only_where_that_is_known() {
    for (command, danger) in [
        ("npm run db:health", Danger::Read),
        ("wget -qO- localhost:8080/health", Danger::Read),
        ("curl -s https://api.sam.gov/status", Danger::Read),
        ("redis-cli cluster info", Danger::Read),
        ("psql -U postgres -c \"SELECT * FROM pg_stat_activity WHERE state != 'idle';\"", Danger::Read),
        ("clickhouse-client --query 'SELECT * FROM system.clusters'", Danger::Read),
        ("kafka-consumer-groups.sh --bootstrap-server kafka:9092 --describe --all-groups", Danger::Read),
        ("top -bn1", Danger::Read),
        ("npm test", Danger::Change),
        ("supervisorctl restart all", Danger::Change),
        ("nginx -s reload", Danger::Change),
        ("redis-cli shutdown nosave", Danger::Change),
    ] {
        let draft = draft(&format!("kubectl exec deploy/x -- {command}")).unwrap();
        assert_eq!((draft.kind, draft.danger), ("exec-check", danger), "{command}");
    }
}

#[test]
fn what_has_no_kind_is_an_external_command() {
    for line in [
        "kubectl get pods -n shop",
        "kubectl describe pod x",
        "kubectl rollout status deploy/x",
        "kubectl delete pod --all",
        "kubectl scale sts x --replicas=1",
        "kubectl exec x-abc -- ls",
        "kubectl exec pg-0 -- psql -c 'DROP TABLE x'",
        "kubectl apply -k overlays",
        "kubectl patch svc x -p '{\"spec\":{\"selector\":{\"zone\":\"a\",\"b\":\"c\"}}}'",
    ] {
        assert!(made(line).unwrap().starts_with("command"), "{line}: {:?}", made(line));
    }
}

#[test]
fn what_wants_a_terminal_or_a_shell_is_left_to_a_person() {
    for line in [
        "kubectl exec -it x -- bash",
        "kubectl exec x -- sh -c 'a | b'",
        "kubectl edit deploy/x",
        "kubectl port-forward svc/x 80",
        "kubectl logs -f x",
        "kubectl get pods | sh",
        "kubectl get x -o json | kubectl apply -f -",
        "kubectl delete pod x | xargs echo",
    ] {
        assert!(made(line).is_err(), "{line}: {:?}", made(line));
    }
    let picked = "kubectl get pods | awk '{print $1}' | xargs kubectl delete pod";
    assert_eq!(made(picked).as_deref(), Ok("delete-pod pod=?"));
}
