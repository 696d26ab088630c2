// SPDX-License-Identifier: GPL-2.0-or-later
//! A router whose only protocol is a shell script, and what a handler may say to netifd.

use std::time::Duration;

use mape::ubus::{Client, Status};

use super::double::blobmsg::Value;
use super::double::{Double, Interface, NullEffects, Route};
use super::program;

pub const AMPLE: Duration = Duration::from_secs(20);

/// A script whose setup stays until told to end, or does what the interface's option says.
pub const SCRIPT: &str = r#"#!/bin/sh
case "$2" in
dump) echo '{"name":"test","config":[["rule",3],["mtu",5],["flag",7],["names",1]],"no-device":true,"available":true,"renew-handler":true}' ;;
setup)
	echo "config $4"
	case "$4" in
	*hurry*) exit 1 ;;
	*stubborn*) trap '' TERM; echo ready; while :; do sleep 0.05; done ;;
	esac
	exec sleep 600 ;;
*) echo "$2 done" ;;
esac
"#;

pub fn router() -> Double {
    let net = Double::without_scripts(NullEffects);
    let script = net.root().join("test-script");
    program::write(&script, SCRIPT);
    net.add_script("test.sh", &script);
    let wan6 = Interface::on("wan6", "eth1")
        .address("2001:db8:1::1", 64)
        .route(Route::via("::", 0, "fe80::1"));
    net.add(wan6);
    net.ifup("wan6");
    net
}

pub fn client(net: &Double) -> Client {
    Client::connect(&net.socket(), AMPLE).unwrap()
}

pub fn notify(bus: &mut Client, arguments: Value) -> Status {
    let arguments = arguments.with("interface", "t");
    match bus.call(
        "network.interface",
        "notify_proto",
        &arguments.to_arguments(),
        AMPLE,
    ) {
        Ok(_) => Status::Ok,
        Err(error) => error.status().unwrap_or_else(|| panic!("{error}")),
    }
}

pub fn action(number: i32) -> Value {
    Value::table().with("action", number)
}

pub fn tunnel(remote: &str) -> Value {
    Value::table()
        .with("mode", "ipip6")
        .with("mtu", 1460)
        .with("ttl", 64)
        .with("local", "2001:db8:1::c")
        .with("remote", remote)
        .with("link", "wan6")
        .with("data", Value::table().with("encaplimit", "ignore"))
}

pub fn link_up(tunnel: Value) -> Value {
    let address = Value::table().with("ipaddr", "192.0.2.1");
    let route = Value::table()
        .with("target", "0.0.0.0")
        .with("netmask", "0");
    action(0)
        .with("ifname", "map-t")
        .with("link-up", true)
        .with("tunnel", tunnel)
        .with("ipaddr", vec![address])
        .with("routes", vec![route])
}

/// An interface whose setup is running.
pub fn setting_up(net: &Double, options: &[(&str, &str)]) -> Client {
    net.configure("t", "test", options);
    net.ifup("t");
    net.wait("the script reports", |w| {
        w.log.iter().any(|l| l.contains("config"))
    });
    client(net)
}

pub fn running(net: &Double) -> u32 {
    let pid = net.with(|w| {
        w.interface("t")
            .handler
            .as_ref()?
            .running
            .as_ref()
            .map(|r| r.0)
    });
    pid.unwrap()
}
