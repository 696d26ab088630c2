// SPDX-License-Identifier: GPL-2.0-or-later
//! What commands answer, as text and as JSON, on a router that has nothing but
//! the program. `INSTA_UPDATE=always` accepts a change.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

const MAP_T: &str = "type=map-t,ipv6prefix=3001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
                     prefix4len=24,ealen=12,offset=6,dmr=2001:db8:ffff::/64";
const MAP_E: &str = "type=map-e,ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
                     prefix4len=24,ealen=16,offset=6,br=2001:db8:ffff::1";

const S46_MAP_E: &str =
    "005e00250059000d001018c00002002820010db800005a001020010db8ffff00000000000000000001";
const S46_MAP_T: &str = "005f001e0059000d001018c00002002820010db800005b00094020010db8ffff0000";
const S46_LW4O6: &str = "0060002d005c0015c00002124020010db800123400005d000406083400005a001020010db8ffff00000000000000000001";

/// Standard output, standard error and the exit status of `mape`.
fn mape(words: &[&str]) -> (String, String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_mape"))
        .args(words)
        .env("MAPE_ROOT", "files")
        .env("MAPE_UBUS_SOCKET", "/nonexistent/ubus.sock")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let status = output.status.code().unwrap();
    (text(output.stdout), text(output.stderr), status)
}

/// The members of a JSON object in the order of their names, a line each.
fn members(json: &str) -> String {
    let object: BTreeMap<String, Value> = match json {
        "" => BTreeMap::new(),
        _ => serde_json::from_str(json).expect(json),
    };
    let lines = object
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"));
    lines.collect()
}

/// The answer as text, then as JSON.
fn answers(words: &[&str]) -> String {
    let (text, error, status) = mape(words);
    let (json, json_error, json_status) = mape(&[words, &["--json"]].concat());
    format!(
        "mape {}\n== text, exit status {status}\n{text}{error}\
         == JSON, exit status {json_status}\n{}{json_error}",
        words.join(" "),
        members(&json),
    )
}

macro_rules! answers {
    ($($name:ident: $words:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::with_settings!({ omit_expression => true }, {
                insta::assert_snapshot!(answers(&$words));
            });
        }
    )*};
}

answers! {
    calc_of_a_known_provider: ["calc", "--prefix", "240b:10:1:200::/56"];
    calc_of_a_named_provider: ["calc", "--prefix", "240b:10:1:200::/56", "--provider", "v6plus"];
    calc_of_map_t: ["calc", "--prefix", "3001:db8:12:1000::/56", "--rule", MAP_T];
    calc_of_a_subnet: ["calc", "--prefix", "2001:db8:12:3401::/64", "--rule", MAP_E];
    calc_of_draft_03: ["calc", "--prefix", "2001:db8:12:3400::/56", "--rule", MAP_E, "--legacy"];
    calc_of_a_stranger: ["calc", "--prefix", "2001:db8::/56"];
    calc_of_a_line_without_map: ["calc", "--prefix", "2409:10::/56"];
    lookup_of_a_known_provider: ["lookup", "240b:10:1:200::/56"];
    lookup_of_a_line_without_map: ["lookup", "2409:10::/56"];
    lookup_of_a_stranger: ["lookup", "2001:db8::/56"];
    br_towards_the_ce: ["br", "--provider", "v6plus", "--from", "106.72.0.1:4128",
        "--to", "192.0.2.1:443"];
    br_of_map_t: ["br", "--rule", MAP_T, "--from", "192.0.2.18:1089", "--to", "11.11.11.11:8000"];
    br_back: ["br", "--rule", MAP_T, "--from6", "3001:db8:12:1000:0:c000:212:1",
        "--to6", "2001:db8:ffff:0:b:b0b:b00:0"];
    br_of_the_source: ["br", "--rule", MAP_T, "--from6", "3001:db8:12:1000:0:c000:212:1",
        "--from", "192.0.2.18:1089"];
    br_of_a_spoofed_source: ["br", "--rule", MAP_T, "--from6", "3001:db8:12:1000:0:c000:212:1",
        "--from", "192.0.2.18:1153"];
    s46_of_map_e: ["s46", S46_MAP_E, "--prefix", "2001:db8:12:3400::/56"];
    s46_of_map_t: ["s46", S46_MAP_T];
    s46_of_lw4o6: ["s46", S46_LW4O6];
    s46_of_nonsense: ["s46", "005e0001"];
    status_of_nothing: ["status"];
    ports_of_nothing: ["ports"];
    doctor_of_nothing: ["doctor"];
}
