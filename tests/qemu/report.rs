// SPDX-License-Identifier: GPL-2.0-or-later
//! What the machine tells the host: figures and verdicts, one JSON line each.

use serde_json::{Map, Value, json};

/// A figure of the table: its key, what it counts, and the goal.
pub struct Goal {
    pub key: &'static str,
    pub what: &'static str,
    pub at_least: Option<f64>,
    pub at_most: Option<f64>,
}

const fn least(key: &'static str, what: &'static str, goal: f64) -> Goal {
    Goal {
        key,
        what,
        at_least: Some(goal),
        at_most: None,
    }
}

const fn none(key: &'static str, what: &'static str) -> Goal {
    Goal {
        key,
        what,
        at_least: None,
        at_most: Some(0.0),
    }
}

/// What the pool promises, in the order of the printed table.
pub const GOALS: &[Goal] = &[
    least(
        "fill_v6plus",
        "of 240 TCP connections to one server, connected at the first SYN or one retry",
        240.0,
    ),
    least("fill_ocn", "the same of 1008 on the OCN set", 998.0),
    least(
        "exhaustion",
        "of 24 connections beyond the last port, refused at the first SYN",
        24.0,
    ),
    least(
        "eim_udp",
        "share of 60 UDP sockets that show one port to 5 servers",
        1.0,
    ),
    least("eim_tcp", "the same for TCP from a bound port", 1.0),
    least(
        "interleaved_first_syn",
        "of 100 connections to each of 5 servers, interleaved, connected at the first SYN",
        500.0,
    ),
    none(
        "churn_lost",
        "first packets lost while 1,200 of 200 live flows are replaced",
    ),
    none("bad_ports_at_br", "packets the BR refused"),
    least(
        "icmp_errors",
        "refused, too big, time exceeded understood by the LAN host",
        3.0,
    ),
    least(
        "udp_no_checksum",
        "of 10 datagrams without a checksum, answered",
        10.0,
    ),
    least("fragments", "of 10 datagrams of 4,000 bytes, echoed", 10.0),
    none(
        "unsolicited_in",
        "of 1,000 packets nobody asked for, reached the router or the LAN",
    ),
    none(
        "forged_in",
        "of 320 packets that somebody forged, reached the router or the LAN",
    ),
    least("ping", "share of concurrent pings answered", 1.0),
    least(
        "offload",
        "a transfer through a flow table is offloaded with good ports",
        1.0,
    ),
    least(
        "forward",
        "a port forward works while the pool is full",
        1.0,
    ),
    least(
        "throughput_ratio",
        "throughput divided by that of one plain SNAT range",
        // Pairs of one and the same ruleset differ by up to 0.03.
        0.95,
    ),
    least(
        "flush_recovery",
        "a transfer survives the flush of all tables",
        1.0,
    ),
];

/// Whether `value` meets the goal of `key`; keys without a goal always do.
pub fn meets(key: &str, value: f64) -> bool {
    GOALS.iter().filter(|goal| goal.key == key).all(|goal| {
        goal.at_least.is_none_or(|least| value >= least)
            && goal.at_most.is_none_or(|most| value <= most)
    })
}

/// All that one run of the machine reported.
#[derive(Default)]
pub struct Outcome {
    pub kernel: String,
    /// technique, key, value, in the order they came.
    pub figures: Vec<(String, String, f64)>,
    /// scenario, verdict.
    pub verdicts: Vec<(String, std::result::Result<String, String>)>,
    /// The guest reached its end.
    pub finished: bool,
}

impl Outcome {
    /// Reads the machine's report, one JSON object per line.
    pub fn parse(text: &str) -> Self {
        let mut outcome = Self::default();
        for line in text.lines() {
            let Ok(Value::Object(line)) = serde_json::from_str(line.trim()) else {
                continue;
            };
            outcome.take(&line);
        }
        outcome
    }

    fn take(&mut self, line: &Map<String, Value>) {
        let text = |key: &str| line.get(key).and_then(Value::as_str).map(str::to_owned);
        if let Some(kernel) = text("kernel") {
            self.kernel = kernel;
        }
        if let (Some(nat), Some(key), Some(value)) = (
            text("nat"),
            text("figure"),
            line.get("value").and_then(Value::as_f64),
        ) {
            self.figures.push((nat, key, value));
        }
        if let Some(name) = text("scenario") {
            let verdict = match text("failed") {
                Some(why) => Err(why),
                None => Ok(text("passed").unwrap_or_default()),
            };
            self.verdicts.push((name, verdict));
        }
        self.finished |= line.contains_key("end");
    }

    /// The figure `key` measured with `nat`.
    pub fn figure(&self, nat: &str, key: &str) -> Option<f64> {
        self.figures
            .iter()
            .rev()
            .find(|(n, k, _)| n == nat && k == key)
            .map(|(_, _, value)| *value)
    }

    /// What `figures.json` holds: the pool's figures by key, the same of the
    /// other techniques under `comparison`, the kernel and the verdicts.
    pub fn to_json(&self) -> Value {
        let mut top = Map::new();
        let mut comparison = Map::new();
        for (nat, key, value) in &self.figures {
            if nat == "pool" {
                top.insert(key.clone(), json!(value));
                continue;
            }
            let row = comparison
                .entry(nat.clone())
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(row) = row {
                row.insert(key.clone(), json!(value));
            }
        }
        let mut scenarios = Map::new();
        for (name, verdict) in &self.verdicts {
            let text = match verdict {
                Ok(_) => "passed".to_owned(),
                Err(why) => format!("failed: {why}"),
            };
            scenarios.insert(name.clone(), Value::String(text));
        }
        top.insert("comparison".to_owned(), Value::Object(comparison));
        top.insert("scenarios".to_owned(), Value::Object(scenarios));
        top.insert("kernel".to_owned(), Value::String(self.kernel.clone()));
        Value::Object(top)
    }
}
