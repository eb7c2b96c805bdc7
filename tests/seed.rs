//! The incident response runbook that the built-in steps come from, line by line: what serves each command,
//! table row, template field and list item of it, or what is planned for it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use Served::{Doc, Planned, Screen, Step};
use warroom::runbook::{self, Runbook, built_in};

const DOCUMENT: &str = include_str!("data/runbooks/incident-response.md");

/// What serves a line of the document.
#[derive(Debug)]
enum Served {
    /// The step of that id.
    Step(&'static str),
    /// The part of the screen that this file of `src/view` draws.
    Screen(&'static str),
    /// The page that tells it.
    Doc(&'static str),
    /// Nothing yet; what will.
    Planned(&'static str),
}

impl Served {
    fn is_there(&self, runbook: &Runbook) -> bool {
        match self {
            Step(id) => runbook.step(id).is_some(),
            Screen(name) => path(&format!("src/view/{name}.rs")).is_file(),
            Doc(page) => path(page).is_file(),
            Planned(what) => !what.is_empty(),
        }
    }
}

/// Heading, and the text below it.
type Line = (&'static str, &'static str);

/// Heading, how a line below it begins, and what serves that line.
type Row = (&'static str, &'static str, &'static Served);

/// The document, heading by heading: how each line begins, and what serves it.
#[rustfmt::skip] // a row a line, as in the document
static TABLE: &[(&str, &[(&str, Served)])] = &[
    ("Overview", &[
        ("This runbook defines the incident response process", Doc("docs/runbook.md")),
    ]),
    // Incident Classification
    ("Severity Levels", &[
        ("| Level | Definition | Examples | Response Time | Leadership |", Planned("severities")),
        ("| SEV1 | Complete outage or data loss |", Planned("severities")),
        ("| SEV2 | Major functionality impaired |", Planned("severities")),
        ("| SEV3 | Minor functionality impaired |", Planned("severities")),
        ("| SEV4 | Minimal impact |", Planned("severities")),
    ]),
    ("Impact Assessment Matrix", &[
        ("| | <100 users | 100-1000 users | >1000 users |", Planned("impact matrix")),
        ("| **Complete outage** |", Planned("impact matrix")),
        ("| **Feature unavailable** |", Planned("impact matrix")),
        ("| **Degraded performance** |", Planned("impact matrix")),
        ("| **Visual/cosmetic** |", Planned("impact matrix")),
    ]),
    // Incident Response Roles
    ("Incident Commander (IC)", &[
        ("- Overall incident coordination", Planned("roles")),
        ("- Decision making authority", Planned("roles")),
        ("- External communication", Planned("roles")),
        ("- Resource allocation", Planned("roles")),
    ]),
    ("Technical Lead (TL)", &[
        ("- Technical investigation", Planned("roles")),
        ("- Solution implementation", Planned("roles")),
        ("- Team coordination", Planned("roles")),
        ("- Progress updates to IC", Planned("roles")),
    ]),
    ("Communications Lead (CL)", &[
        ("- Customer notifications", Planned("roles")),
        ("- Internal updates", Planned("roles")),
        ("- Status page updates", Planned("roles")),
        ("- Stakeholder communication", Planned("roles")),
    ]),
    ("Subject Matter Experts (SME)", &[
        ("- Domain-specific expertise", Planned("roles")),
        ("- Technical consultation", Planned("roles")),
        ("- Implementation support", Planned("roles")),
    ]),
    // Initial Response Procedure
    ("1. Detection & Alert", &[
        ("# Alert received via:", Screen("pages/alerts")),
        ("# - PagerDuty", Planned("alerts of PagerDuty")),
        ("# - Monitoring alerts", Screen("pages/alerts")),
        ("# - Customer reports", Planned("customer reports")),
        ("# - Internal discovery", Screen("panes/timeline")),
    ]),
    ("2. Acknowledge & Assess", &[
        ("# Acknowledge alert", Planned("alerts of PagerDuty")),
        ("pd-cli incident acknowledge <incident-id>", Planned("alerts of PagerDuty")),
        ("# Quick assessment (< 2 minutes)", Planned("quick assessment")),
        ("- What is broken?", Planned("quick assessment")),
        ("- How many users affected?", Planned("quick assessment")),
        ("- Is data at risk?", Planned("quick assessment")),
        ("- What is the business impact?", Planned("quick assessment")),
    ]),
    ("3. Declare Incident", &[
        ("# Create incident channel", Step("declare-incident")),
        ("/incident declare [SEV1-4] [description]", Step("declare-incident")),
        ("# This automatically:", Planned("declaration")),
        ("# - Creates #incident-YYYYMMDD-#### Slack channel", Planned("declaration")),
        ("# - Pages on-call team", Planned("declaration")),
        ("# - Creates incident document", Planned("declaration")),
        ("# - Starts incident timer", Planned("declaration")),
    ]),
    ("4. Assemble Response Team", &[
        ("SEV1:", Planned("response teams")),
        ("- Incident Commander: VP Engineering or delegate", Planned("response teams")),
        ("- Technical Lead: Senior engineer", Planned("response teams")),
        ("- Communications: Customer Success lead", Planned("response teams")),
        ("- SMEs: As needed", Planned("response teams")),
        ("SEV2:", Planned("response teams")),
        ("- Incident Commander: Engineering Manager", Planned("response teams")),
        ("- Technical Lead: On-call engineer", Planned("response teams")),
        ("- Communications: Support lead", Planned("response teams")),
        ("SEV3-4:", Planned("response teams")),
        ("- Lead: On-call engineer", Planned("response teams")),
        ("- Support: Team members as needed", Planned("response teams")),
    ]),
    // Investigation Procedures
    ("1. Initial Triage Checklist", &[
        ("# System status", Step("triage")),
        ("kubectl get pods -A | grep -v Running", Step("pods-not-running")),
        ("kubectl get nodes", Step("nodes")),
        ("kubectl top nodes", Step("top-nodes")),
        ("# Recent changes", Screen("pages/changes")),
        ("kubectl get events -A --sort-by='.lastTimestamp' | tail -20", Step("recent-events")),
        ("helm history medcontracthub -n medcontract-prod", Step("helm-medcontracthub")),
        ("# Error rates", Screen("panes/rates")),
        ("curl -s http://prometheus:9090/api/v1/query?query=", Step("error-rates")),
        ("# Check dashboards", Step("grafana")),
        ("open https://grafana.medcontracthub.com/d/executive-overview", Step("grafana")),
    ]),
    ("Main Application Issues", &[
        ("# Check app logs", Screen("pages/logs")),
        ("kubectl logs -n medcontract-prod -l app=medcontracthub-app --tail=100", Step("app-logs")),
        ("# Check database connectivity", Step("db-health")),
        ("kubectl exec -n medcontract-prod deploy/medcontracthub-app -- npm", Step("db-health")),
        ("# Check external services", Step("sam-gov")),
        ("kubectl exec -n medcontract-prod deploy/medcontracthub-app -- curl", Step("sam-gov")),
    ]),
    ("Microservice Issues", &[
        ("# Check service health", Step("services-health")),
        ("for service in ocr-service ai-service analytics-service", Step("services-health")),
        ("echo \"Checking $service...\"", Step("services-health")),
        ("kubectl exec -n medcontract-prod deploy/${service} -- wget -qO-", Step("services-health")),
        ("done", Step("services-health")),
        ("# Check Kafka lag", Screen("panes/lag")),
        ("kubectl exec -n medcontract-prod kafka-0 --", Step("kafka-lag")),
        ("kafka-consumer-groups.sh --bootstrap-server kafka:9092", Step("kafka-lag")),
    ]),
    ("Database Issues", &[
        ("# PostgreSQL", Step("databases")),
        ("kubectl exec -n medcontract-prod postgres-primary-0 --", Step("pg-activity")),
        ("psql -U postgres -c \"SELECT * FROM pg_stat_activity", Step("pg-activity")),
        ("# Redis", Step("databases")),
        ("kubectl exec -n medcontract-prod redis-cluster-0 -- redis-cli cluster info", Step("redis-cluster")),
        ("# ClickHouse", Step("databases")),
        ("kubectl exec -n medcontract-prod clickhouse-0 --", Step("clickhouse-clusters")),
        ("clickhouse-client --query \"SELECT * FROM system.clusters\"", Step("clickhouse-clusters")),
    ]),
    ("3. Data Collection", &[
        ("# Capture logs", Step("collect-incident-logs")),
        ("./scripts/collect-incident-logs.sh --incident-id=INC-001", Step("collect-incident-logs")),
        ("# Capture metrics", Step("export-incident-metrics")),
        ("./scripts/export-incident-metrics.sh --start=", Step("export-incident-metrics")),
        ("# Take heap dump if memory issue", Step("heap-dump")),
        ("kubectl exec -n medcontract-prod <pod-name> -- jmap -dump:format=b", Step("heap-dump")),
        ("kubectl cp medcontract-prod/<pod-name>:/tmp/heap.bin", Step("copy-out")),
    ]),
    // Mitigation Strategies: Quick Mitigation Options
    ("1. Circuit Breaker", &[
        ("# Enable circuit breaker for problematic service", Step("circuit-breaker")),
        ("kubectl apply -f - <<EOF", Step("circuit-breaker")),
        ("apiVersion: networking.istio.io/v1beta1", Step("circuit-breaker")),
        ("kind: DestinationRule", Step("circuit-breaker")),
        ("metadata:", Step("circuit-breaker")),
        ("name: circuit-breaker-emergency", Step("circuit-breaker")),
        ("namespace: medcontract-prod", Step("circuit-breaker")),
        ("spec:", Step("circuit-breaker")),
        ("host: <service-name>", Step("circuit-breaker")),
        ("trafficPolicy:", Step("circuit-breaker")),
        ("outlierDetection:", Step("circuit-breaker")),
        ("consecutive5xxErrors: 1", Step("circuit-breaker")),
        ("interval: 5s", Step("circuit-breaker")),
        ("baseEjectionTime: 30s", Step("circuit-breaker")),
        ("maxEjectionPercent: 100", Step("circuit-breaker")),
        ("EOF", Step("circuit-breaker")),
    ]),
    ("2. Traffic Diversion", &[
        ("# Divert traffic to healthy region/zone", Step("traffic-divert")),
        ("kubectl patch service <service-name> -n medcontract-prod -p", Step("traffic-divert")),
        ("'{\"spec\":{\"selector\":{\"zone\":\"us-east-1a\"}}}'", Step("traffic-divert")),
        ("# Or route to maintenance page", Step("maintenance-page")),
        ("kubectl apply -f emergency/maintenance-page.yaml", Step("maintenance-page")),
    ]),
    ("3. Resource Scaling", &[
        ("# Emergency scale up", Step("scale")),
        ("kubectl scale deployment <service-name> --replicas=10", Step("scale")),
        ("# Add more nodes if needed", Step("scale-nodegroup")),
        ("eksctl scale nodegroup --cluster=medcontract-prod", Step("scale-nodegroup")),
    ]),
    ("4. Feature Flags", &[
        ("# Disable problematic feature", Step("set-env")),
        ("kubectl set env deployment/medcontracthub-app", Step("set-env")),
        ("FEATURE_AI_PROPOSALS=false", Step("set-env")),
        ("FEATURE_OCR_PROCESSING=false", Step("set-env")),
        ("-n medcontract-prod", Step("set-env")),
    ]),
    // Mitigation Strategies: Rollback Procedures
    ("Application Rollback", &[
        ("# Check rollout history", Step("rollout-history")),
        ("kubectl rollout history deployment/<service-name>", Step("rollout-history")),
        ("# Rollback to previous version", Step("rollout-undo")),
        ("kubectl rollout undo deployment/<service-name> -n medcontract-prod", Step("rollout-undo")),
        ("# Rollback to specific revision", Step("rollout-undo")),
        ("kubectl rollout undo deployment/<service-name> --to-revision=5", Step("rollout-undo")),
    ]),
    ("Database Rollback", &[
        ("# For migrations, see Data Recovery Runbook", Step("rollback-migration")),
        ("./scripts/rollback-migration.sh --version=v1.2.2", Step("rollback-migration")),
    ]),
    // Communication Templates
    ("Initial Customer Notification", &[
        ("Subject: MedContractHub Service Disruption", Planned("messages")),
        ("We are currently experiencing issues with [affected service].", Planned("messages")),
        ("Impact: [Brief description of impact]", Planned("messages")),
        ("Start time: [ISO timestamp]", Planned("messages")),
        ("We will provide updates every 30 minutes", Planned("messages")),
        ("We apologize for any inconvenience.", Planned("messages")),
    ]),
    ("Internal Update Template", &[
        ("🚨 INCIDENT UPDATE - [SEV#] - [Time since start]", Planned("messages")),
        ("Current Status: [Investigating/Identified/Monitoring/Resolved]", Planned("messages")),
        ("Summary: [1-2 sentences on current situation]", Planned("messages")),
        ("Recent Actions:", Planned("messages")),
        ("- [Action 1 and result]", Planned("messages")),
        ("- [Action 2 and result]", Planned("messages")),
        ("Next Steps:", Planned("messages")),
        ("- [Planned action 1]", Planned("messages")),
        ("- [Planned action 2]", Planned("messages")),
        ("Need Help With:", Planned("messages")),
        ("- [Specific expertise needed]", Planned("messages")),
        ("- [Resources required]", Planned("messages")),
        ("IC: @person | TL: @person | CL: @person", Planned("messages")),
    ]),
    ("Resolution Notice", &[
        ("Subject: MedContractHub Service Restored", Planned("messages")),
        ("The issue affecting [service] has been resolved.", Planned("messages")),
        ("Duration: [start time] - [end time] ([total duration])", Planned("messages")),
        ("Root cause: [Brief, non-technical explanation]", Planned("messages")),
        ("We sincerely apologize for the disruption.", Planned("messages")),
        ("If you continue to experience issues", Planned("messages")),
    ]),
    // Post-Incident Procedures
    ("1. Immediate Actions (within 2 hours)", &[
        ("# Verify system stability", Step("validate")),
        ("./scripts/post-incident-validation.sh", Step("validate")),
        ("# Document timeline while fresh", Doc("docs/recordings.md")),
        ("cat > incidents/INC-001-timeline.md <<EOF", Planned("incident document")),
        ("# Incident Timeline INC-001", Planned("incident document")),
        ("- 14:32 - First alert received", Screen("panes/timeline")),
        ("- 14:33 - On-call engineer acknowledged", Planned("incident document")),
        ("- 14:35 - Incident declared SEV2", Planned("incident document")),
        ("- ...", Screen("panes/timeline")),
        ("EOF", Planned("incident document")),
        ("# Preserve evidence", Step("preserve-incident-data")),
        ("./scripts/preserve-incident-data.sh --incident-id=INC-001", Step("preserve-incident-data")),
    ]),
    ("Post-Mortem Template", &[
        ("# Post-Mortem: [Incident ID] - [Brief Description]", Planned("post-mortem")),
        ("**Date**:", Planned("post-mortem")),
        ("**Authors**:", Planned("post-mortem")),
        ("**Status**:", Planned("post-mortem")),
        ("**Severity**:", Planned("post-mortem")),
        ("**Duration**:", Planned("post-mortem")),
        ("## Executive Summary", Planned("post-mortem")),
        ("[2-3 sentences summarizing the incident and impact]", Planned("post-mortem")),
        ("## Impact", Planned("post-mortem")),
        ("- **Customer Impact**:", Planned("post-mortem")),
        ("- **Revenue Impact**:", Planned("post-mortem")),
        ("- **Data Impact**:", Planned("post-mortem")),
        ("## Timeline", Planned("post-mortem")),
        ("[Use UTC times]", Planned("post-mortem")),
        ("- HH:MM - Event description", Planned("post-mortem")),
        ("## Root Cause", Planned("post-mortem")),
        ("[Technical explanation of what went wrong]", Planned("post-mortem")),
        ("## Contributing Factors", Planned("post-mortem")),
        ("1. [Factor 1]", Planned("post-mortem")),
        ("2. [Factor 2]", Planned("post-mortem")),
        ("## What Went Well", Planned("post-mortem")),
        ("- [Positive aspect 1]", Planned("post-mortem")),
        ("- [Positive aspect 2]", Planned("post-mortem")),
        ("## What Didn't Go Well", Planned("post-mortem")),
        ("- [Issue 1]", Planned("post-mortem")),
        ("- [Issue 2]", Planned("post-mortem")),
        ("## Action Items", Planned("post-mortem")),
        ("| Action | Owner | Due Date | Priority |", Planned("post-mortem")),
        ("| [Action 1] | @person | YYYY-MM-DD | P0 |", Planned("post-mortem")),
        ("| [Action 2] | @person | YYYY-MM-DD | P1 |", Planned("post-mortem")),
        ("## Lessons Learned", Planned("post-mortem")),
        ("[Key takeaways for the organization]", Planned("post-mortem")),
        ("## Supporting Information", Planned("post-mortem")),
        ("- [Link to logs]", Planned("post-mortem")),
        ("- [Link to graphs]", Planned("post-mortem")),
        ("- [Link to code changes]", Planned("post-mortem")),
    ]),
    ("Action Item Tracking", &[
        ("# Create Jira tickets for each action item", Planned("action items")),
        ("jira create", Planned("action items")),
        ("--project=PLATFORM", Planned("action items")),
        ("--type=Task", Planned("action items")),
        ("--priority=High", Planned("action items")),
        ("--summary=\"[INC-001] Implement automated failover\"", Planned("action items")),
        ("--description=\"From incident post-mortem\"", Planned("action items")),
        ("--labels=incident-followup,sev2", Planned("action items")),
    ]),
    ("Process Improvements", &[
        ("- Update runbooks with new findings", Doc("docs/runbook.md")),
        ("- Enhance monitoring for missed signals", Doc("docs/prometheus.md")),
        ("- Improve alerting rules", Planned("action items")),
        ("- Update automation scripts", Planned("action items")),
    ]),
    ("Training & Communication", &[
        ("- Share learnings in engineering all-hands", Planned("action items")),
        ("- Update on-call training materials", Planned("action items")),
        ("- Customer communication if needed", Planned("messages")),
        ("- Blog post for significant incidents", Planned("action items")),
    ]),
    // Incident Metrics
    ("Key Metrics to Track", &[
        ("-- MTTD (Mean Time To Detect)", Planned("incident metrics")),
        ("SELECT AVG(acknowledged_at - created_at) as mttd", Planned("incident metrics")),
        ("FROM incidents", Planned("incident metrics")),
        ("WHERE created_at > NOW() - INTERVAL '30 days';", Planned("incident metrics")),
        ("-- MTTR (Mean Time To Resolve)", Planned("incident metrics")),
        ("SELECT AVG(resolved_at - created_at) as mttr", Planned("incident metrics")),
        ("-- Incident Frequency", Planned("incident metrics")),
        ("SELECT", Planned("incident metrics")),
        ("DATE_TRUNC('week', created_at) as week,", Planned("incident metrics")),
        ("severity,", Planned("incident metrics")),
        ("COUNT(*) as incidents", Planned("incident metrics")),
        ("GROUP BY week, severity", Planned("incident metrics")),
        ("ORDER BY week DESC;", Planned("incident metrics")),
    ]),
    ("SLO Impact Calculation", &[
        ("# Calculate error budget impact", Step("slo-impact")),
        ("python scripts/calculate-slo-impact.py", Step("slo-impact")),
        ("--start-time=", Step("slo-impact")),
        ("--end-time=", Step("slo-impact")),
        ("--service=", Step("slo-impact")),
    ]),
    // War Room Setup
    ("Physical War Room", &[
        ("- Location: Conference Room A", Planned("card of the room")),
        ("- Equipment:", Planned("card of the room")),
        ("- Large displays for dashboards", Screen("wall")),
        ("- Whiteboard for timeline", Screen("panes/timeline")),
        ("- Phone for conference bridge", Planned("card of the room")),
        ("- Power strips and ethernet", Planned("card of the room")),
    ]),
    ("Virtual War Room", &[
        ("- Slack: #incident-[date]-[number]", Planned("declaration")),
        ("- Zoom: Standing incident bridge", Planned("links of the room")),
        ("- Shared doc: Google Doc for live notes", Planned("incident document")),
        ("- Dashboard: Incident-specific Grafana", Planned("links of the room")),
    ]),
    ("War Room Etiquette", &[
        ("1. Mute when not speaking", Planned("etiquette")),
        ("2. Use thread for side discussions", Planned("etiquette")),
        ("3. No blame during incident", Planned("etiquette")),
        ("4. Focus on resolution, not root cause", Planned("etiquette")),
        ("5. Regular status updates (15-30 min)", Planned("etiquette")),
    ]),
    // External Resources
    ("Emergency Contacts", &[
        ("- AWS Support:", Planned("contacts")),
        ("- Stripe Support:", Planned("contacts")),
        ("- SAM.gov Technical:", Planned("contacts")),
        ("- Security Team:", Planned("contacts")),
    ]),
    ("Escalation Paths", &[
        ("On-Call Engineer", Planned("escalation")),
        ("↓ (5 min)", Planned("escalation")),
        ("Tech Lead", Planned("escalation")),
        ("↓ (10 min)", Planned("escalation")),
        ("Engineering Manager", Planned("escalation")),
        ("↓ (15 min)", Planned("escalation")),
        ("VP Engineering", Planned("escalation")),
        ("↓ (30 min)", Planned("escalation")),
        ("CTO/CEO", Planned("escalation")),
    ]),
    ("Vendor Status Pages", &[
        ("- AWS: https://status.aws.amazon.com/", Planned("vendor status")),
        ("- Stripe: https://status.stripe.com/", Planned("vendor status")),
        ("- Supabase: https://status.supabase.com/", Planned("vendor status")),
        ("- Mistral: https://status.mistral.ai/", Planned("vendor status")),
    ]),
    ("References", &[
        ("- [Service Down Runbook]", Planned("sibling runbooks")),
        ("- [Data Recovery Runbook]", Planned("sibling runbooks")),
        ("- [Monitoring Runbook]", Planned("sibling runbooks")),
        ("- [Security Incident Response]", Planned("sibling runbooks")),
        ("- [Communication Guidelines]", Planned("sibling runbooks")),
    ]),
];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.iter().flat_map(|(heading, rows)| rows.iter().map(|(begins, served)| (*heading, *begins, served)))
}

/// The lines that say something: not blank, no fence, no rule of a table. In a fence a `#` begins a comment
/// or a field of a template, elsewhere a heading.
fn lines() -> Vec<Line> {
    let (mut heading, mut fenced, mut lines) = ("", false, Vec::new());
    for line in DOCUMENT.lines().map(str::trim) {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if line.starts_with('#') && !fenced {
            heading = line.trim_start_matches('#').trim();
        } else if !line.trim_matches(['|', '-', ' ']).is_empty() {
            lines.push((heading, line));
        }
    }
    lines
}

fn is_of((below, begins, _): &Row, (heading, text): &Line) -> bool {
    below == heading && text.starts_with(begins)
}

#[test]
fn each_line_has_a_row() {
    let missing: Vec<Line> =
        lines().into_iter().filter(|line| !rows().any(|row| is_of(&row, line))).collect();
    assert!(missing.is_empty(), "no row tells what serves {missing:#?}");
}

#[test]
fn each_row_has_a_line() {
    let lines = lines();
    let left: Vec<Row> = rows().filter(|row| !lines.iter().any(|line| is_of(row, line))).collect();
    assert!(left.is_empty(), "the document does not have {left:#?}");
}

#[test]
fn what_serves_a_line_is_there() {
    let (file, text) = built_in("medcontracthub").unwrap();
    let runbook = runbook::read(file, text, None).unwrap();
    let missing: Vec<Row> = rows().filter(|(_, _, served)| !served.is_there(&runbook)).collect();
    assert!(missing.is_empty(), "there is no such step, file or plan: {missing:#?}");
}

#[test]
fn the_copy_is_the_document_where_that_is_beside_the_checkout() {
    let original = fs::read_to_string(path("../shared/seed/incident-response-runbook.md"));
    let is_same = original.map_or(true, |text| text == DOCUMENT);
    assert!(is_same, "the document has moved on: copy it to tests/data/runbooks, and see to its rows");
}
