// SPDX-License-Identifier: GPL-2.0-or-later
//! `dump`: what the scripts in the protocol folder say of themselves, and the configuration
//! that netifd builds from it.

use serde_json::{Map, Value as Json, json};

/// A protocol as its script described it.
#[derive(Debug, Clone)]
pub struct Handler {
    /// `./map.sh`
    pub script: String,
    pub name: String,
    /// Option names and their blobmsg types, in order.
    pub config: Vec<(String, i64)>,
    pub no_device: bool,
    pub no_task: bool,
    pub available: bool,
    pub renew: bool,
    pub restart: bool,
    pub last_error: bool,
    pub teardown_on_l3_link_down: bool,
}

/// Reads the output of `SCRIPT '' dump`, more strictly than netifd, which drops silently what
/// it does not understand.
pub fn parse(script: &str, output: &str) -> Vec<Handler> {
    assert!(!output.is_empty(), "{script} '' dump printed nothing");
    assert!(output.ends_with('\n'), "{script}: the last line must end");
    output
        .lines()
        .map(|line| parse_line(script, line))
        .collect()
}

fn parse_line(script: &str, line: &str) -> Handler {
    let json: Json = serde_json::from_str(line)
        .unwrap_or_else(|e| panic!("{script}: a line that is no JSON object ({e}): {line:?}"));
    let object = json
        .as_object()
        .unwrap_or_else(|| panic!("{script}: not an object: {line:?}"));
    let name = object["name"].as_str().expect("name is a string");
    let flag = |name: &str| match object.get(name) {
        None => false,
        Some(value) => value
            .as_bool()
            .unwrap_or_else(|| panic!("{script}: {name} must be true or false: {line:?}")),
    };
    Handler {
        script: script.to_owned(),
        name: name.to_owned(),
        config: object.get("config").map(parse_config).unwrap_or_default(),
        no_device: flag("no-device"),
        no_task: flag("no-proto-task"),
        available: flag("available"),
        renew: flag("renew-handler"),
        restart: flag("restart-handler"),
        last_error: flag("lasterror"),
        teardown_on_l3_link_down: flag("teardown-on-l3-link-down"),
    }
}

fn parse_config(config: &Json) -> Vec<(String, i64)> {
    let pairs = config.as_array().expect("config is an array");
    let mut options: Vec<(String, i64)> = Vec::new();
    for pair in pairs {
        let pair = pair.as_array().expect("config holds [name, type] pairs");
        assert_eq!(pair.len(), 2, "config holds [name, type] pairs");
        let name = pair[0].as_str().expect("an option's name is a string");
        let kind = pair[1].as_i64().expect("an option's type is a number");
        assert!([1, 3, 5, 7].contains(&kind), "{name}: type {kind}");
        assert!(
            options.iter().all(|(n, _)| n != name),
            "{name}: declared twice"
        );
        options.push((name.to_owned(), kind));
    }
    options
}

/// Attributes that netifd itself declares: of every interface, and of every device.
const INTERFACE: [(&str, i64); 5] = [
    ("proto", 3),
    ("zone", 3),
    ("auto", 7),
    ("metric", 5),
    ("defaultroute", 7),
];
const DEVICE: [(&str, i64); 3] = [("mtu", 5), ("ipv6", 7), ("mtu6", 5)];

/// The configuration netifd hands to the script: the options it or the script declares, typed
/// as declared, some twice, what cannot be converted left out. `options` are as in UCI; a list
/// is written with `\n` between its entries.
pub fn config_json(handler: &Handler, options: &[(&str, &str)]) -> String {
    let mut all = vec![("proto", handler.name.as_str())];
    all.extend(options);
    let mut members = Vec::new();
    let groups = [
        INTERFACE.map(|(n, t)| (n.to_owned(), t)).to_vec(),
        handler.config.clone(),
        DEVICE.map(|(n, t)| (n.to_owned(), t)).to_vec(),
    ];
    for (name, kind) in groups.iter().flatten() {
        let given = all.iter().rev().find(|(n, _)| n == name);
        if let Some(value) = given.and_then(|(_, text)| typed(*kind, text)) {
            members.push(format!("{}:{value}", json!(name)));
        }
    }
    format!("{{{}}}", members.join(","))
}

fn typed(kind: i64, text: &str) -> Option<Json> {
    match (kind, text) {
        (1, _) => Some(text.split('\n').map(Json::from).collect()),
        (3, _) => Some(Json::from(text)),
        (5, _) => text.parse::<i32>().ok().map(Json::from),
        (7, "1" | "true") => Some(Json::Bool(true)),
        (7, "0" | "false") => Some(Json::Bool(false)),
        _ => None,
    }
}

/// The script's description of a protocol, as `get_proto_handlers` has it.
pub fn description(handler: &Handler) -> Json {
    let validate: Map<String, Json> = handler
        .config
        .iter()
        .map(|(name, kind)| {
            let kind = match kind {
                1 => "list(string)",
                5 => "uinteger",
                7 => "bool",
                _ => "string",
            };
            (name.clone(), Json::from(kind))
        })
        .collect();
    json!({
        "validate": validate,
        "immediate": false,
        "no_device": handler.no_device,
        "init_available": handler.available,
        "renew_available": handler.renew,
        "force_link_default": false,
        "last_error": handler.last_error,
        "teardown_on_l3_link_down": handler.teardown_on_l3_link_down,
        "no_task": handler.no_task,
    })
}
