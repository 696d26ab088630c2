// SPDX-License-Identifier: GPL-2.0-or-later
//! Plans for lines that say themselves how they carry IPv4 (HB46PP).

use ipnet::Ipv6Net;
use mape::handler::{Code, Plan, Problem, Protocol, Provisioned, Router, Settings};
use mape::map::Dialect;
use mape::mechanism::Kind;
use mape::netifd::{Config, Dump};
use mape::provider::load;
use mape::provision::hb46pp::Answer;
use mape::reason::Reason;
use serde_json::json;

/// A router whose line has given this answer, if any.
struct Asked(Option<String>, Option<&'static str>);

impl Router for Asked {
    fn mtu(&self, _: &str) -> Option<u16> {
        Some(1500)
    }

    fn zone(&self, _: &str) -> Option<String> {
        Some("wan".into())
    }

    fn provisioned(&self, interface: &str, _: &[Ipv6Net]) -> Option<Provisioned> {
        assert_eq!(interface, "wanmap");
        let answer = Answer::parse(self.0.as_ref()?.as_bytes()).unwrap();
        Some(Provisioned::of(answer))
    }

    fn not_provisioned(&self, _: &str, _: &[Ipv6Net]) -> Option<Reason> {
        self.1.map(Reason::from)
    }
}

const LAB: &str = "2001:db8:10:1200::";
const V6PLUS: &str = "240b:10:1:200::";

fn plan(prefix: &str, config: &str, answer: Option<String>) -> Result<Plan, Problem> {
    plan_of_line(prefix, config, &Asked(answer, None))
}

fn plan_of_line(prefix: &str, config: &str, asked: &Asked) -> Result<Plan, Problem> {
    let config = Config::parse(config).unwrap();
    let settings = Settings::new(Protocol::Mape, "wanmap", &config).unwrap();
    let dump = json!({"interface": [{
        "interface": "wan6", "up": true, "proto": "dhcpv6", "l3_device": "eth1",
        "dns-server": ["2001:db8::53"],
        "ipv6-prefix": [{"address": prefix, "mask": 56, "valid": 600, "preferred": 600}],
        "route": [{"target": "::", "mask": 0}],
    }]});
    let dump = Dump::from_json(&dump.to_string()).unwrap();
    Plan::new(&settings, &dump, &load("files").table, asked)
}

fn map_e(prefix: &str) -> Option<String> {
    let answer = json!({
        "enabler_name": "Lab VNE", "service_name": "Lab\u{1b}MAP-E", "order": ["map_e"],
        "map_e": {"br": "2001:db8:ffff::64", "rules": [
            {"ipv6": prefix, "ipv4": "192.0.2.0/24", "ea_length": 12, "psid_offset": 4},
        ]},
    });
    Some(answer.to_string())
}

#[test]
fn a_line_that_no_table_knows_is_what_it_says() {
    let plan = plan(LAB, "{}", map_e("2001:db8:10::/44")).unwrap();
    assert!(plan.is_provisioned());
    assert_eq!(plan.mapping().unwrap().dialect(), Dialect::Draft03);
    assert_eq!(plan.mechanism.ipv4().to_string(), "192.0.2.1/32");
    assert_eq!(plan.encaplimit.as_deref(), Some("ignore"));
    assert_eq!(plan.mtu, 1460);
    let expected = ("hb46pp".to_owned(), "Lab VNE, Lab MAP-E".to_owned());
    assert_eq!(plan.provider, Some(expected));
}

#[test]
fn the_table_comes_first_unless_the_line_is_to_be_asked() {
    let answer = || map_e("240b:10::/44");
    let known = plan(V6PLUS, "{}", answer()).unwrap();
    assert!(!known.is_provisioned());
    assert_eq!(known.mechanism.ipv4().to_string(), "106.72.0.1/32");
    let asked = plan(V6PLUS, r#"{"provision":"hb46pp"}"#, answer()).unwrap();
    assert!(asked.is_provisioned());
    let named = plan(
        V6PLUS,
        r#"{"provision":"hb46pp","provider":"v6plus"}"#,
        answer(),
    );
    assert!(!named.unwrap().is_provisioned());
}

#[test]
fn without_an_answer_there_is_a_reason() {
    let says = |config: &str, answer| plan(LAB, config, answer).unwrap_err().detail.clone();
    let unknown =
        "2001:db8:10:1200::/56 belongs to no known provider; set provider 'none' and give the rule";
    assert_eq!(says("{}", None), unknown);
    assert_eq!(
        says(r#"{"provision":"off"}"#, map_e("2001:db8:10::/44")),
        unknown
    );
    assert_eq!(
        says("{}", map_e("2001:db8:20::/44")),
        "nothing that the server offers can be used: map_e: no rule matches 2001:db8:10:1200::/56"
    );
    let not_yet = plan(V6PLUS, r#"{"provision":"hb46pp"}"#, None).unwrap_err();
    assert_eq!(
        not_yet.detail,
        "the line has not said yet how it carries IPv4"
    );
    assert!(!not_yet.fatal);
    let silent = Asked(None, Some("no DNS server answers"));
    let says = |prefix: &str, config: &str| {
        let problem = plan_of_line(prefix, config, &silent).unwrap_err();
        assert!(!problem.fatal && problem.code == Code::UnknownProvider);
        problem.detail.clone()
    };
    assert_eq!(
        says(LAB, "{}"),
        format!(
            "{unknown}; the line itself does not say how it carries IPv4: no DNS server answers"
        )
    );
    assert_eq!(
        says(V6PLUS, r#"{"provision":"hb46pp"}"#),
        "the line does not say how it carries IPv4: no DNS server answers"
    );
    assert_eq!(says(LAB, r#"{"provision":"off"}"#), unknown);
}

#[test]
fn a_line_may_say_that_it_is_ds_lite_or_ipip() {
    let ds_lite = json!({"enabler_name": "Lab VNE", "order": ["dslite"],
        "dslite": {"aftr": "2001:db8:ffff::101"}});
    let plan_of =
        |config: &str, answer: &serde_json::Value| plan(LAB, config, Some(answer.to_string()));
    let found = plan_of("{}", &ds_lite).unwrap();
    assert!(found.is_provisioned());
    assert_eq!(found.mechanism.kind(), Kind::DsLite);
    assert_eq!(found.remote(), "2001:db8:ffff::101".parse().ok());
    let refused = plan_of(r#"{"maptype":"map-e"}"#, &ds_lite).unwrap_err();
    assert!(
        refused.detail.starts_with("the line has ds-lite"),
        "{refused}"
    );
    let ipip = json!({"enabler_name": "Lab ISP", "order": ["ipip"], "ipip": [
        {"ipv6_local": "2001:db8:10:1200::7", "ipv6_remote": "2001:db8:7::1",
         "ipv4": "203.0.113.0/29"}]});
    let found = plan_of("{}", &ipip).unwrap();
    assert_eq!(
        found.mechanism.ce_address(),
        "2001:db8:10:1200::7".parse::<std::net::Ipv6Addr>().unwrap()
    );
    assert_eq!(found.mechanism.ipv4().to_string(), "203.0.113.0/29");
}
