// SPDX-License-Identifier: GPL-2.0-or-later
//! Rules that DHCPv6 brings.

use super::double::EncapLimit;
use super::example_uplink;
use super::router::{Router, from_dhcp};

const OWN: &str = "type=map-e,ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
                   prefix4len=24,ealen=16,offset=6,br=2001:db8:ffff::1,fmr";
const OTHER: &str = "type=map-e,ipv6prefix=2001:db8:100::,prefix6len=40,ipv4prefix=198.51.100.0,\
                     prefix4len=24,ealen=16,offset=6,br=2001:db8:ffff::1,fmr";

/// A server that pads a field, so that the client loses the port parameters behind it
/// (openwrt issue 25190): the user says what the client did not.
#[test]
fn a_user_corrects_what_dhcpv6_said() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    net.write(
        "etc/config/network",
        "config interface 'wan6_4'\n\toption disabled '1'\n\toption offset '0'\n\toption mtu '1400'\n\
         config interface 'other'\n\toption offset '8'\n",
    );
    net.add_dynamic(&from_dhcp(&OWN.replace(",offset=6", "")));
    net.assert_works("wan6_4");
    let tunnel = net.tunnel().unwrap();
    assert_eq!(tunnel.mtu, Some(1400));
    let written = net.file("tmp/map-wan6_4.rules").unwrap();
    assert!(written.contains("RULE_1_OFFSET=0\n"), "{written}");
    assert!(
        written.contains("RULE_1_PORTSETS='13312-13567 '"),
        "{written}"
    );
}

#[test]
fn dhcpv6_brings_the_rules() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    net.add_dynamic(&from_dhcp(&format!("{OTHER} {OWN} ")));
    net.assert_works("wan6_4");
    let tunnel = net.tunnel().unwrap();
    let ce = "2001:db8:12:3400:0:c000:212:34";
    assert_eq!(tunnel.local.as_deref(), Some(ce));
    assert_eq!(tunnel.mtu, Some(1452));
    assert_eq!(tunnel.encap, EncapLimit::Ignore);
    let fmrs: Vec<&str> = tunnel.fmrs.iter().map(|f| f.prefix4.as_str()).collect();
    assert_eq!(fmrs, ["198.51.100.0/24", "192.0.2.0/24"]);
    let data = net.with(|world| format!("{:?}", world.interface("wan6_4").data));
    assert!(data.contains("(\"zone\", String(\"wan\"))"), "{data}");
    let written = net.file("tmp/map-wan6_4.rules").unwrap();
    assert!(written.contains("RULE_BMR=2\n"), "{written}");
    assert!(written.ends_with("RULE_COUNT=2\n"), "{written}");

    // The same at each renewal: nothing happens.
    net.add_dynamic(&from_dhcp(&format!("{OTHER} {OWN} ")));
    assert_eq!(net.spawned("wan6_4", "teardown"), 0);

    // netifd sees no difference in other rules either; the client's script does (scenario "DHCPv6
    // brings other rules").
    net.add_dynamic(&from_dhcp(&OWN.replace("192.0.2.0", "203.0.113.0")));
    assert_eq!(net.spawned("wan6_4", "teardown"), 0);

    // The uplink goes, and all with it.
    net.ifdown("wan6");
    net.wait("wan6_4 is down", |world| !world.is_up("wan6_4"));
    net.assert_clean("wan6_4");
}

#[test]
fn changed_rules_take_effect_at_a_renewal() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    let config = |rule: &str| format!(r#"{{"proto":"map","tunlink":"wan6","rule":["{rule}"]}}"#);
    net.configure_raw("wanmap", "map", &config(OWN));
    net.ifup("wanmap");
    net.assert_works("wanmap");
    for changed in [
        OWN.replace("br=2001:db8:ffff::1", "br=2001:db8:ffff::2"),
        OWN.replace("offset=6", "offset=4"),
        format!("{OWN} {OTHER}"),
    ] {
        let teardowns = net.spawned("wanmap", "teardown");
        net.reconfigure("wanmap", &config(&changed));
        net.renew("wanmap");
        net.wait("it starts over", |world| {
            world.spawned("wanmap", "teardown") > teardowns
        });
        net.assert_works("wanmap");
        assert_eq!(net.spawned("wanmap", "teardown"), teardowns + 1);
    }
    assert_eq!(net.tunnel().unwrap().fmrs.len(), 2);
}

/// The longest are kept, and the user is told how many are not.
#[test]
fn more_fmrs_than_netifd_takes() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    let mut rules = vec![OWN.to_owned()];
    rules.extend((0..70).map(|n| {
        format!(
            "type=map-e,ipv6prefix=2001:db9:{n:x}::,prefix6len=48,ipv4prefix=10.{n}.0.0,\
             prefix4len=24,ealen=8,offset=6,br=2001:db8:ffff::1,fmr"
        )
    }));
    net.configure(
        "wanmap",
        "map",
        &[("tunlink", "wan6"), ("rule", &rules.join("\n"))],
    );
    net.ifup("wanmap");
    net.assert_works("wanmap");
    let fmrs = net.tunnel().unwrap().fmrs;
    assert_eq!(fmrs.len(), mape::netifd::Fmr::MAX);
    assert!(fmrs.iter().all(|fmr| fmr.prefix6.ends_with("/48")));
    let warned = net.log();
    assert!(
        warned
            .iter()
            .any(|line| line.contains("71 FMRs are given") && line.contains("10 left out")),
        "{warned:?}"
    );
}

/// Nothing but an FMR matches, and it has no relay: no tunnel to nowhere.
#[test]
fn a_rule_without_its_relay() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    let rule = OWN.replace("br=2001:db8:ffff::1,", "");
    net.configure("wanmap", "map", &[("tunlink", "wan6"), ("rule", &rule)]);
    net.ifup("wanmap");
    net.wait_error("wanmap", "INVALID_MAP_RULE");
    assert!(net.details("wanmap")[0].contains("br"));
    net.ifdown("wanmap");
    net.assert_clean("wanmap");
}
