// SPDX-License-Identifier: GPL-2.0-or-later
//! What netifd and the kernel say of an interface.

use super::Netifd;
use serde_json::{Value as Json, json};

impl Netifd {
    pub(super) fn ip(&self, arguments: &[&str]) -> Vec<Json> {
        let mut command = vec!["ip", "-j", "-d"];
        command.extend(arguments);
        match serde_json::from_str(&self.in_network(&command)) {
            Ok(Json::Array(list)) => list,
            _ => Vec::new(),
        }
    }

    /// The tunnel's ends: of a real one the kernel's, of a stand-in what its alias tells.
    pub(super) fn tunnel(&self, device: &str) -> Option<(String, String)> {
        let links = self.ip(&["link", "show", "dev", device]);
        let link = links.first()?;
        let data = &link["linkinfo"]["info_data"];
        let text = |value: &Json| value.as_str().map(str::to_owned);
        if let (Some(local), Some(remote)) = (text(&data["local"]), text(&data["remote"])) {
            return Some((local, remote));
        }
        let alias = text(&link["ifalias"])?;
        let after = |word: &str| {
            let mut words = alias.split(' ').skip_while(move |w| *w != word);
            words.nth(1).map(str::to_owned)
        };
        Some((after("local")?, after("remote")?))
    }

    pub(super) fn uplink_of(&self, address_interface: &str) -> Option<String> {
        let status = self.status(address_interface)?;
        status["l3_device"].as_str().map(str::to_owned)
    }

    pub(super) fn status(&self, name: &str) -> Option<Json> {
        let status = self.ubus(&format!("network.interface.{name}"), "status", &json!({}));
        status.is_object().then_some(status)
    }

    /// What the kernel has of the addresses on the uplink that belong to the tunnel.
    pub(super) fn ce_addresses(&self, name: &str) -> Vec<String> {
        let holder = format!("{name}_");
        let Some(status) = self.status(&holder) else {
            return Vec::new();
        };
        let Some(device) = self.uplink_of(&holder) else {
            return Vec::new();
        };
        let links = self.ip(&["-6", "addr", "show", "dev", &device]);
        let infos = links
            .first()
            .and_then(|l| l["addr_info"].as_array().cloned());
        let there: Vec<Json> = infos.unwrap_or_default();
        let claimed = status["ipv6-address"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        claimed
            .iter()
            .filter_map(|a| a["address"].as_str())
            .filter(|address| there.iter().any(|info| info["local"] == *address))
            .map(str::to_owned)
            .collect()
    }
}
