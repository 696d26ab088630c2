// SPDX-License-Identifier: GPL-2.0-or-later
//! Registration of a fixed address with servers of several kinds.

use mape::provision::Uplink;
use mape::provision::registration::{Account, Outcome, RegisterError, register};

use crate::servers::{self, CE, WEB, address, http, line, resolver};

fn account() -> Account {
    Account {
        username: "user".into(),
        password: "pass&word".into(),
        ..Account::default()
    }
}

#[test]
fn the_request_comes_from_the_address_that_it_registers() {
    let Some(uplink) = line() else { return };
    let uplink = Uplink {
        resolvers: vec![resolver(None)],
        ..uplink
    };
    let (port, told) = servers::web_with(WEB[0], http("200 OK", "good 2001:db8:f::1\n"));
    let url = format!("http://prov.example:{port}/nic/update?hostname=[HOSTNAME]&myip=[IP]");
    let outcome = register(&url.parse().unwrap(), &account(), &uplink).unwrap();
    assert_eq!(outcome, Outcome::Registered);
    let request = told.recv().unwrap();
    assert_eq!(request.from, address(CE));
    assert_eq!(request.target(), "/nic/update?hostname=&myip=2001:db8:f::1");
    let basic = "\r\nAuthorization: Basic dXNlcjpwYXNzJndvcmQ=\r\n";
    assert!(request.head.contains(basic), "{}", request.head);
    let url = format!("http://prov.example:{port}/?user=[USERNAME]&pass=[PASSWORD]");
    register(&url.parse().unwrap(), &account(), &uplink).unwrap();
    let request = told.recv().unwrap();
    assert_eq!(request.target(), "/?user=user&pass=pass%26word");
    assert!(!request.head.contains("Authorization"));
}

#[test]
fn failures_say_why_without_the_secret() {
    let Some(uplink) = line() else { return };
    let uplink = Uplink {
        resolvers: vec![resolver(None)],
        ..uplink
    };
    let outcome = |answer: String| {
        let (port, _) = servers::web_with(WEB[0], answer);
        let url = format!("http://prov.example:{port}/?p=[PASSWORD]");
        let outcome = register(&url.parse().unwrap(), &account(), &uplink).unwrap();
        outcome.to_string()
    };
    let page = http("200 OK", "<html>welcome</html>");
    assert!(outcome(page).starts_with("the server gives no clear answer: a web page"));
    let refused = http("401 Unauthorized", "badauth");
    assert_eq!(
        outcome(refused),
        "the server refuses: badauth, HTTP status 401"
    );
    for url in [
        "http://prov.example:9/?p=[PASSWORD]",
        "http://gone.example/?p=[PASSWORD]",
    ] {
        let error = register(&url.parse().unwrap(), &account(), &uplink).unwrap_err();
        assert!(matches!(error, RegisterError::Http(_)));
        assert!(!error.to_string().contains("pass"), "{error}");
    }
    let nowhere = Uplink {
        source: None,
        ..uplink
    };
    let error = register(&"v6plus".parse().unwrap(), &account(), &nowhere).unwrap_err();
    assert_eq!(error.to_string(), "there is no CE address to register yet");
}
