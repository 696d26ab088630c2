// SPDX-License-Identifier: GPL-2.0-or-later
//! What to do with a port set, and why.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::map::PortSet;

use super::error::NatError;
use super::kernel::Kernel;
use super::line::Line;
use super::names;
use super::options::Timeouts;
use super::ports::PortList;
use super::share::{Share, UpnpWish};
use super::technique::{MAX_POOL, Technique, choose};
use super::wishes::Wishes;

/// Everything needed to print the rules of one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    line: Line,
    technique: Technique,
    reason: String,
    share: Share,
    ping: bool,
    tight: bool,
    netdev: bool,
    counted: bool,
    redirected: bool,
}

impl Plan {
    /// Chooses the technique for `line`.
    ///
    /// # Errors
    /// Names that cannot be device or table, a set without a port that can be
    /// used, or a pool that cannot be.
    pub fn new(line: Line, wishes: &Wishes, kernel: &Kernel) -> Result<Self, NatError> {
        line.check()?;
        let share = match line.ports {
            Some(set) => share_of(set, wishes)?,
            None => Share::without_ports(&wishes.reserve, &wishes.opened),
        };
        let (technique, reason) = choose(&line, wishes, kernel, &share.free, &share.passing)?;
        Ok(Plan {
            line,
            technique,
            reason,
            share,
            ping: wishes.ping,
            tight: wishes.timeouts == Timeouts::Tight && kernel.timeouts.is_ok(),
            netdev: kernel.edge.is_ok(),
            counted: kernel.connlimit.is_ok(),
            redirected: wishes.redirected,
        })
    }

    /// The line the plan is for.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// How outgoing connections get their ports.
    pub fn technique(&self) -> &Technique {
        &self.technique
    }

    /// Why it was chosen: half a sentence for log and status.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Ports of the set that reach DNAT and local sockets with their own
    /// number: forwarded, opened, reserved, and those of UPnP.
    pub fn passing(&self) -> &PortList {
        &self.share.passing
    }

    /// Ports of the set that miniupnpd may hand out.
    pub fn upnp(&self) -> &PortList {
        &self.share.upnp
    }

    /// Ports of the set that outgoing connections may take.
    pub fn free(&self) -> &PortList {
        &self.share.free
    }

    /// What was asked for and cannot be given, a sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.share.warnings
    }

    /// Whether timeouts are shortened: asked for and possible.
    pub fn is_tight(&self) -> bool {
        self.tight
    }

    /// Whether a connection is refused at once when every port is in use to its
    /// destination. That takes one range that SNAT finds all ports in: a hash
    /// is full before its last port is taken, without anybody counting.
    pub fn refuses_when_full(&self) -> bool {
        let one_range = matches!(
            self.technique,
            Technique::Pool(_) | Technique::Plain(Some(_))
        );
        self.counted && one_range && self.share.free.count() <= MAX_POOL
    }

    /// Whether there is an edge map to load once the device exists.
    pub fn has_edge(&self) -> bool {
        matches!(self.technique, Technique::Pool(_))
    }

    /// Whether packets may come in past the ingress hook of the device.
    pub(super) fn is_redirected(&self) -> bool {
        self.redirected
    }

    /// Whether the kernel has netdev tables with an egress hook.
    pub(super) fn has_netdev(&self) -> bool {
        self.netdev
    }

    /// The port outside for a number that conntrack shows, if it is ours.
    pub fn port_of(&self, number: u16) -> Option<u16> {
        match &self.technique {
            Technique::Pool(pool) => pool
                .port_of(number)
                .or_else(|| self.share.passing.contains(number).then_some(number)),
            _ => {
                let ours = self.line.ports.is_some_and(|set| set.contains(number));
                ours.then_some(number)
            }
        }
    }

    /// Name of the tables, in each family.
    pub fn table(&self) -> String {
        names::table(&self.line.interface)
    }

    /// Our address, or the first of the prefix assigned to us.
    pub(super) fn address(&self) -> Ipv4Addr {
        self.line.ipv4.addr()
    }

    /// All addresses that are ours.
    pub(super) fn network(&self) -> Ipv4Net {
        self.line.ipv4.trunc()
    }

    /// Our ports, if other CEs use other ports of the address.
    pub(super) fn shared(&self) -> Option<PortSet> {
        self.line.ports.filter(|set| set.is_shared())
    }

    /// Whether inbound connections to our pings are the firewall's business.
    pub(super) fn answers_ping(&self) -> bool {
        self.ping
    }
}

fn share_of(set: PortSet, wishes: &Wishes) -> Result<Share, NatError> {
    // An address of one's own has ports for everybody.
    let upnp = match set.is_shared() {
        true => &wishes.upnp,
        false => &UpnpWish::Nothing,
    };
    let set = PortList::from(set);
    let share = Share::new(&set, &wishes.reserve, &wishes.opened, upnp);
    match share.free.is_empty() {
        true => Err(NatError::NothingLeft(set)),
        false => Ok(share),
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::Mode;
    use super::super::share::Claim;
    use super::*;
    use crate::map::PortParams;

    fn plan_of(params: (u8, u8, u16), wishes: Wishes, kernel: &Kernel) -> Result<Plan, NatError> {
        let (offset, len, psid) = params;
        let line = Line {
            interface: "wan".into(),
            device: "map-wan".into(),
            ipv4: "192.0.2.1/32".parse().unwrap(),
            ports: Some(PortSet::new(PortParams::new(offset, len).unwrap(), psid).unwrap()),
            outer: None,
        };
        Plan::new(line, &wishes, kernel)
    }

    const V6PLUS: (u8, u8, u16) = (4, 8, 0x34);

    fn chosen(params: (u8, u8, u16), mode: Mode, reserve: &str) -> String {
        let wishes = Wishes {
            mode,
            reserve: reserve.parse().unwrap(),
            ..Wishes::default()
        };
        let plan = plan_of(params, wishes, &Kernel::full()).unwrap();
        format!("{}: {}", plan.technique(), plan.reason())
    }

    #[test]
    fn the_technique_fits_the_ports() {
        assert_eq!(
            chosen(V6PLUS, Mode::Auto, ""),
            "pool: all 240 ports of 15 ranges as one"
        );
        assert_eq!(
            chosen(V6PLUS, Mode::Hash, ""),
            "hash: the configuration says so"
        );
        assert_eq!(
            chosen((6, 0, 0), Mode::Pool, ""),
            "plain: the address is not shared"
        );
        assert_eq!(
            chosen((0, 6, 1), Mode::Auto, ""),
            "plain: the ports are one range, 1024-2047"
        );
        assert_eq!(
            chosen((0, 6, 0), Mode::Auto, ""),
            "plain: the ports are one range, 1-1023"
        );
        assert_eq!(
            chosen((0, 6, 1), Mode::Auto, "1500"),
            "pool: all 1023 ports of 1 range as one"
        );
        assert!(chosen((6, 2, 0), Mode::Auto, "").starts_with("hash: 16128 ports are more"));
    }

    #[test]
    fn a_kernel_without_edge_hashes_and_says_so() {
        let kernel = Kernel {
            edge: Err("Operation not supported".into()),
            ..Kernel::full()
        };
        let plan = plan_of(V6PLUS, Wishes::default(), &kernel).unwrap();
        assert_eq!(plan.technique().name(), "hash");
        assert!(
            plan.reason().contains("kmod-nft-netdev"),
            "{}",
            plan.reason()
        );
        assert!(!plan.combined().contains("netdev"));
        let wishes = Wishes {
            mode: Mode::Pool,
            ..Wishes::default()
        };
        let error = plan_of(V6PLUS, wishes, &kernel).unwrap_err().to_string();
        assert!(error.ends_with("choose auto or hash"), "{error}");
    }

    #[test]
    fn what_cannot_be_reserved_is_named() {
        let wishes = Wishes {
            reserve: "22 32769".parse().unwrap(),
            ..Wishes::default()
        };
        let plan = plan_of((1, 14, 0), wishes, &Kernel::full()).unwrap();
        assert_eq!(
            plan.warnings(),
            ["reserve 22: not among the ports of this line (32768-32769), without effect"]
        );
        assert_eq!(plan.free().to_string(), "32768");
        // Port 0 alone.
        let error = plan_of((0, 16, 0), Wishes::default(), &Kernel::full()).unwrap_err();
        assert!(matches!(error, NatError::NothingLeft(_)), "{error}");
    }

    #[test]
    fn names_that_mean_something_to_nft_are_refused() {
        for (interface, device) in [
            ("", "map-wan"),
            ("wan;", "map-wan"),
            ("wan", "map\"wan"),
            ("wan", "map*"),
            ("wan", "a-device-too-long"),
        ] {
            let line = Line {
                interface: interface.into(),
                device: device.into(),
                ipv4: "192.0.2.1/32".parse().unwrap(),
                ports: Some(PortSet::new(PortParams::new(4, 8).unwrap(), 0).unwrap()),
                outer: None,
            };
            assert!(Plan::new(line, &Wishes::default(), &Kernel::full()).is_err());
        }
    }

    #[test]
    fn the_marker_follows_the_rules() {
        let print = |opened: &str| {
            let wishes = Wishes {
                opened: vec![Claim {
                    ports: opened.parse().unwrap(),
                    ..Claim::default()
                }],
                ..Wishes::default()
            };
            let plan = plan_of(V6PLUS, wishes, &Kernel::full()).unwrap();
            plan.marker()
        };
        assert_eq!(print(""), print("80 443"));
        assert_ne!(print(""), print("4930"));
    }
}
