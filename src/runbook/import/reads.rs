//! What only reads: programs by their names, their commands and flags. A list of what is known, since a
//! program that is not may do anything.

use super::flags::{Given, Known, listed};
use super::harm::{changing, name};
use super::request::{curl_reads, wget_reads};

/// Programs that only read, whatever their arguments.
const ALWAYS: &str = "cat df dig du egrep fgrep free getent grep head host id iostat jps last ls lsblk \
                      lscpu lsof md5sum netstat nproc nslookup pg_isready pgrep ping printenv ps pwd \
                      readlink sha256sum stat tail traceroute uname uptime vmstat wc which who whoami \
                      zgrep";

/// Commands that only read, of programs whose commands come before their own arguments.
const COMMANDS: &[(&str, &str)] = &[
    (
        "argocd",
        "app get, app history, app list, app logs, app manifests, app resources, cluster get, cluster \
         list, proj get, proj list, repo list, version",
    ),
    ("consul", "catalog, info, kv get, members, operator raft list-peers, version"),
    (
        "docker",
        "compose logs, compose ps, container inspect, container list, container logs, container ls, \
         container stats, container top, diff, history, image history, image inspect, image ls, images, \
         info, inspect, logs, network inspect, network ls, node ls, port, ps, service logs, service ls, \
         service ps, stack ls, stack ps, stats, system df, system info, top, version, volume inspect, \
         volume ls",
    ),
    ("eksctl", "get, info, version"),
    ("etcdctl", "alarm list, endpoint health, endpoint status, get, member list, version"),
    ("flux", "check, events, get, logs, stats, trace, tree, version"),
    (
        "gh",
        "issue list, issue view, pr checks, pr diff, pr list, pr status, pr view, release list, release \
         view, repo view, run list, run view, workflow list, workflow view",
    ),
    ("git", "blame, describe, diff, log, ls-files, rev-parse, shortlog, show, stash list, status"),
    ("helm", "env, get, hist, history, list, ls, search, show, status, version"),
    (
        "istioctl",
        "analyze, proxy-config cluster, proxy-config clusters, proxy-config endpoint, proxy-config \
         endpoints, proxy-config listener, proxy-config listeners, proxy-config route, proxy-config \
         routes, proxy-status, ps, version",
    ),
    (
        "kubectl",
        "api-resources, api-versions, auth can-i, auth whoami, cluster-info, config current-context, \
         config get-contexts, config view, describe, diff, events, explain, get, logs, rollout history, \
         rollout status, top, version, wait",
    ),
    (
        "nodetool",
        "compactionstats, describecluster, gossipinfo, info, netstats, ring, status, tpstats, version",
    ),
    (
        "nomad",
        "alloc logs, alloc status, deployment list, deployment status, job inspect, job status, node \
         status, server members, status, version",
    ),
    (
        "rabbitmqctl",
        "cluster_status, environment, list_channels, list_connections, list_consumers, list_queues, ping, \
         status",
    ),
    ("supervisorctl", "avail, pid, status, version"),
    (
        "systemctl",
        "cat, get-default, is-active, is-enabled, is-failed, list-dependencies, list-jobs, list-sockets, \
         list-timers, list-unit-files, list-units, show, status",
    ),
    ("terraform", "output, providers, show, state list, state show, version"),
    (
        "vault",
        "auth list, kv get, kv list, list, operator raft list-peers, policy list, policy read, secrets \
         list, status, token lookup, version",
    ),
    (
        "velero",
        "backup describe, backup get, backup logs, describe, get, restore describe, restore get, restore \
         logs, schedule describe, schedule get, version",
    ),
];

/// Programs that take the commands of another.
const SAME: &[(&str, &str)] =
    &[("k", "kubectl"), ("oc", "kubectl"), ("podman", "docker"), ("rabbitmq-diagnostics", "rabbitmqctl")];

/// Flags with a value that may stand before a command.
const BEFORE: &str = "-n --namespace --context --kubeconfig --kube-context --cluster -s --server --as \
                      --region --profile --output --endpoint-url --query --subscription --project \
                      --account --configuration --format -C -H --host -h -u --endpoints --cacert --cert \
                      --key";
/// Flags without one.
const BARE: &str = "-A --all-namespaces --no-pager --no-cli-pager --debug";

const DATE: Known = Known {
    bare: "uRI",
    valued: "dr",
    long_bare: "utc iso-8601",
    long_valued: "date iso-8601 rfc-3339 reference",
};
const HOSTNAME: Known = Known {
    bare: "AadfiIs",
    valued: "",
    long_bare: "alias all-fqdns all-ip-addresses domain fqdn ip-address long short",
    long_valued: "",
};
const DMESG: Known = Known {
    bare: "THkuxPrte",
    valued: "lfs",
    long_bare: "ctime human kernel userspace decode nopager notime raw reltime",
    long_valued: "level facility since until time-format color",
};
const JOURNALCTL: Known = Known {
    bare: "abefklmqrx",
    valued: "untpogSUD",
    long_bare: "all boot catalog dmesg disk-usage follow full list-boots merge no-full no-hostname \
                no-pager no-tail pager-end quiet reverse system user utc",
    long_valued: "boot directory facility grep identifier lines output output-fields priority since unit \
                  until user-unit",
};
const SS: Known = Known {
    bare: "tulnpaeimoHrxw46sO",
    valued: "",
    long_bare: "all extended info listening memory no-header numeric options processes raw summary tcp udp \
                unix",
    long_valued: "",
};
const TOP: Known = Known { bare: "bcHi", valued: "ndpuow", long_bare: "", long_valued: "" };
const PSQL: Known = Known {
    bare: "AtXqxlwE",
    valued: "cUhpdPvF",
    long_bare: "csv echo-hidden expanded html list no-align no-password no-psqlrc quiet tuples-only",
    long_valued: "command dbname field-separator host port pset set username variable",
};
const CLICKHOUSE: Known = Known {
    bare: "nmtE",
    valued: "qhud",
    long_bare: "multiline multiquery secure time vertical",
    long_valued: "database format host password port query user",
};
const MYSQL: Known = Known {
    bare: "BNtEs",
    valued: "euhPD",
    long_bare: "batch silent skip-column-names table vertical",
    long_valued: "database execute host port user",
};
const REDIS: Known = Known {
    bare: "c3",
    valued: "hpnauri",
    long_bare: "bigkeys csv hotkeys insecure json latency memkeys no-auth-warning no-raw raw scan stat tls",
    long_valued: "cacert cert key pass pattern sni user",
};
const KAFKA: Known = Known {
    bare: "",
    valued: "",
    long_bare: "all-groups all-topics describe list members offsets state under-replicated-partitions \
                unavailable-partitions verbose version",
    long_valued: "bootstrap-server broker-list command-config entity-name entity-type group timeout topic \
                  zookeeper",
};

/// Kafka's own tools that read with `--describe` and `--list`.
const KAFKA_TOOLS: &str = "kafka-acls kafka-configs kafka-consumer-groups kafka-log-dirs kafka-topics";

/// Commands of Redis that only read.
const REDIS_READS: &str = "client info, client list, cluster info, cluster myid, cluster nodes, cluster \
                           shards, cluster slots, config get, dbsize, exists, get, hget, hgetall, hkeys, \
                           hlen, hmget, hvals, info, keys, lastsave, latency doctor, latency history, \
                           latency latest, lindex, llen, lrange, memory doctor, memory stats, memory \
                           usage, mget, object encoding, object idletime, ping, pttl, pubsub channels, \
                           pubsub numsub, role, scan, scard, sismember, slowlog get, slowlog \
                           len, smembers, strlen, time, ttl, type, xinfo, xlen, zcard, zrange, zscore";

/// Whether a program only reads with these arguments.
pub(super) fn only(program: &str, args: &[String]) -> bool {
    let program = name(program);
    let of = SAME.iter().find(|(other, _)| *other == program).map_or(program, |(_, same)| same);
    if let Some((_, phrases)) = COMMANDS.iter().find(|(known, _)| *known == of) {
        // `git diff --output=FILE`, which may be shortened, writes that file.
        let writes = of == "git" && args.iter().any(|arg| arg.starts_with("--ou"));
        return !writes && says(phrases, &commands(args));
    }
    match of {
        "aws" => commands(args).get(1).is_some_and(|verb| is_cloud_read(verb)),
        "az" | "gcloud" => cloud(&commands(args)),
        "curl" => curl_reads(args),
        "wget" => wget_reads(args),
        "env" => args.is_empty(),
        _ => listed(ALWAYS, of) || by_flags(of, args),
    }
}

/// Whether a script that a pod's own program has says by its name that it looks: `npm run db:health`.
pub(super) fn is_health_script(program: &str, args: &[String]) -> bool {
    let words: Vec<&str> =
        args.iter().map(String::as_str).filter(|arg| *arg != "-s" && *arg != "--silent").collect();
    let ["run" | "run-script", script] = words.as_slice() else { return false };
    let last = script.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    listed("npm pnpm yarn", name(program))
        && listed("check health healthcheck status", last)
        && !changing(&[(*script).to_owned()])
}

/// The words before a program's own arguments, without flags that stand among them and are known.
fn commands(args: &[String]) -> Vec<&str> {
    let mut words = Vec::new();
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        if listed(BEFORE, arg) {
            args.next();
        } else if !arg.starts_with('-') {
            words.push(arg);
        } else if !listed(BARE, arg) && !arg.split_once('=').is_some_and(|(flag, _)| listed(BEFORE, flag)) {
            break; // whether the next word is its value is not known
        }
    }
    words
}

/// Whether the words begin with one of these phrases.
fn says(phrases: &str, words: &[&str]) -> bool {
    let begins = |phrase: &str| phrase.split(' ').enumerate().all(|(at, part)| words.get(at) == Some(&part));
    phrases.split(", ").any(begins)
}

/// Whether the last of these words reads, or the last but one, which names what it reads.
fn cloud(words: &[&str]) -> bool {
    let (first, reads) = match words {
        [first @ .., verb] if is_cloud_read(verb) => (first, true),
        [first @ .., verb, _] => (first, ["describe", "read"].contains(verb)),
        _ => return false,
    };
    let first: Vec<String> = first.iter().map(|word| (*word).to_owned()).collect();
    reads && !changing(&first)
}

fn is_cloud_read(verb: &str) -> bool {
    let begins = ["batch-get-", "describe-", "get-", "list-"].iter().any(|start| verb.starts_with(start));
    let plain = "describe filter-log-events get list ls query scan show tail wait";
    // Credentials are written into a file.
    verb != "get-credentials" && (begins || listed(plain, verb))
}

/// Programs that read with some of their flags.
fn by_flags(program: &str, args: &[String]) -> bool {
    let fits =
        |known: &Known, holds: fn(&Given<'_>) -> bool| known.read(args).is_some_and(|given| holds(&given));
    match program {
        "date" => fits(&DATE, |given| given.words.iter().all(|word| word.starts_with('+'))),
        "hostname" => fits(&HOSTNAME, |given| given.words.is_empty()),
        "dmesg" => fits(&DMESG, |given| given.words.is_empty()),
        "journalctl" => fits(&JOURNALCTL, |_| true),
        "ss" => fits(&SS, |_| true),
        "top" => fits(&TOP, |given| given.has(&["b"]) && given.words.is_empty()),
        "nginx" => !args.is_empty() && args.iter().all(|arg| listed("-t -T -v -V", arg)),
        "psql" => fits(&PSQL, |given| asks(given, &["c", "command"]) || given.has(&["l", "list"])),
        "clickhouse-client" => fits(&CLICKHOUSE, |given| asks(given, &["q", "query"])),
        "mysql" | "mariadb" => fits(&MYSQL, |given| asks(given, &["e", "execute"])),
        "redis-cli" => fits(&REDIS, asks_redis),
        _ => {
            let tool = program.strip_suffix(".sh").unwrap_or(program);
            let told =
                |given: &Given<'_>| given.words.is_empty() && given.has(&["describe", "list", "version"]);
            listed(KAFKA_TOOLS, tool) && fits(&KAFKA, told)
        }
    }
}

/// Whether a database's client is given statements, and all of them only read.
fn asks(given: &Given<'_>, flags: &[&str]) -> bool {
    let statements = given.values(flags);
    !statements.is_empty() && statements.iter().all(|statement| only_selects(statement))
}

fn asks_redis(given: &Given<'_>) -> bool {
    let words: Vec<String> = given.words.iter().map(|word| word.to_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words.is_empty() {
        return given.has(&["bigkeys", "hotkeys", "memkeys", "scan"]);
    }
    says(REDIS_READS, &words)
}

/// Whether statements only read, as far as their words say. A backslash may be a command of the client, and a
/// brace an input that holds anything.
fn only_selects(statements: &str) -> bool {
    let lower = statements.to_lowercase();
    let first = |one: &str| one.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
    let mut all = lower.split(';').map(str::trim).filter(|one| !one.is_empty()).peekable();
    let is_some = all.peek().is_some();
    let plain = lower.replace(" format ", " "); // how ClickHouse is to print it
    is_some
        && all.all(|one| listed("desc describe explain select show", &first(one)))
        && !lower.contains(['\\', '{'])
        && !changing(&[plain])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::import::lex::{Token, tokens};

    fn reads(line: &str) -> bool {
        let word = |token: Token| match token {
            Token::Word(word) => crate::runbook::import::draft::argument(&word),
            other => panic!("{other:?}"),
        };
        let words: Vec<String> = tokens(line).unwrap().into_iter().map(word).collect();
        only(&words[0], &words[1..]) || is_health_script(&words[0], &words[1..])
    }

    #[test]
    fn what_is_known_reads() {
        for line in [
            "kubectl -n logs get pods --watch",
            "kubectl --context=x -A get events",
            "kubectl wait --for=delete pod/x",
            "podman container ls",
            "velero restore get",
            "git -C /x log --oneline",
            "aws --region eu-west-1 logs tail delete-me",
            "aws ec2 describe-instances --query x",
            "gcloud compute instances describe vm --zone a",
            "az vm list --output table",
            "date -u +%s",
            "date -d yesterday --iso-8601=seconds",
            "hostname -f",
            "dmesg -T --level=err",
            "journalctl -xeu nginx -n100 --since today --no-pager",
            "ss -tulpn",
            "top -bn1",
            "nginx -t",
            "env",
            "/usr/bin/df -h",
            "psql -U app -tAc 'select count(*) from a; SHOW b;'",
            "psql -l",
            "clickhouse-client --query 'SELECT * FROM a FORMAT Vertical'",
            "mysql -e 'EXPLAIN SELECT 1'",
            "redis-cli -h x -p 6379 --no-auth-warning CLUSTER INFO",
            "redis-cli --bigkeys",
            "kafka-consumer-groups.sh --bootstrap-server k:9092 --describe --all-groups",
            "kafka-topics --bootstrap-server=k:9092 --list",
            "supervisorctl status",
            "npm run db:health",
            "yarn run -s status",
        ] {
            assert!(reads(line), "{line}");
        }
    }

    #[test]
    fn what_is_not_known_does_not() {
        for line in [
            "kubectl delete events --all",
            "kubectl delete -n logs deployment x",
            "kubectl --frobnicate get pods",
            "kubectl config use-context x",
            "kubectl rollout restart deploy/status",
            "docker container rm logs",
            "git log --output=f",
            "aws logs delete-log-group --log-group-name x",
            "aws events put-rule --name x",
            "gcloud compute instances delete describe vm",
            "gcloud container clusters get-credentials x",
            "az group delete --name list",
            "date -s 12:00",
            "date 010203042026",
            "date --set=x",
            "hostname x",
            "dmesg -TC",
            "journalctl --vacuum-size=1M",
            "journalctl --vac=1M",
            "ss -K dst x",
            "top",
            "nginx",
            "nginx -s reload",
            "env rm x",
            "psql -c 'select 1; drop table x'",
            "psql -c 'select pg_terminate_backend(1)'",
            "psql -c 'select * into a from b'",
            r"mysql -e 'select 1 \! rm'",
            "psql -f x.sql",
            "psql -c 'select {what}'",
            "clickhouse-client -q 'INSERT INTO x VALUES (1)'",
            "redis-cli shutdown nosave",
            "redis-cli config set a b",
            "redis-cli",
            "kafka-topics.sh --describe --del --topic x",
            "kafka-run-class.sh --describe",
            "supervisorctl restart all",
            "npm run check:fix",
            "npm run reset-health",
            "npm run health -- --fix",
            "npm test",
        ] {
            assert!(!reads(line), "{line}");
        }
    }
}
