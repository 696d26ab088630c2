// SPDX-License-Identifier: GPL-2.0-or-later
//! Lines without MAP, whose far end may be a name: DS-Lite, and fixed addresses
//! over IPIP.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use super::{Choice, Line, mechanism_problem};
use crate::endpoint::Endpoint;
use crate::handler::owner::Owner;
use crate::handler::problem::{Code, Problem};
use crate::handler::settings::FixedAddress;
use crate::map::Border;
use crate::mechanism::{DsLite, IpIp};
use crate::provider::Carrier;
use crate::reason::said;
use crate::uplink::UplinkError;

impl Line<'_> {
    pub(super) fn ds_lite(
        &self,
        aftr: &Endpoint,
        owner: Option<Owner>,
        why: String,
    ) -> Result<Choice, Problem> {
        let own = self.settings.border.and_then(Border::br);
        let aftr = match own {
            Some(address) => &Endpoint::Address(address),
            None => aftr,
        };
        // Without a prefix no name need be asked for.
        let prefix = self.prefix()?;
        let (remote, remotes) = self.addresses(aftr)?;
        let line = DsLite::new(prefix, remote).map_err(mechanism_problem)?;
        let name = match aftr {
            Endpoint::Name(name) => Some(name.clone()),
            Endpoint::Address(_) => None,
        };
        Ok(Choice {
            mechanism: line.named(name).into(),
            owner,
            mesh: false,
            why,
            remotes,
        })
    }

    pub(super) fn ipip(&self, fixed: &FixedAddress) -> Result<Choice, Problem> {
        let id = fixed.provider.as_deref();
        let mut others = self.table.other_lines().iter();
        let line = others.find(|line| Some(line.id()) == id);
        // A form may keep a provider of MAP; a misspelt one would go without
        // what depends on it, such as the registration.
        if let (Some(id), None) = (id, line) {
            let provider = self.table.provider(id);
            provider.map_err(|error| Problem::fatal(Code::UnknownProvider, error))?;
        }
        let known = line.and_then(|line| match line.carrier() {
            Carrier::IpIp { br, .. } => *br,
            Carrier::DsLite { .. } | Carrier::Other => None,
        });
        let br = fixed.br.clone().or(known.map(Endpoint::Address));
        let br = br.ok_or_else(|| {
            let id = id.unwrap_or("auto");
            let what = said!(
                "provider_br_unknown",
                "provider {provider}: its BR is not known; set option peeraddr",
                id
            );
            Problem::fatal(Code::UnknownProvider, what)
        })?;
        let prefix = self.prefix()?;
        let (remote, remotes) = self.addresses(&br)?;
        let line_up = IpIp::new(prefix, fixed.id, fixed.ipv4, remote);
        Ok(Choice {
            mechanism: line_up.map_err(mechanism_problem)?.into(),
            owner: line.map(Owner::from),
            mesh: false,
            why: "the configuration has a fixed address".into(),
            remotes,
        })
    }

    /// The prefix or address of the line, if no rule needs a certain one.
    fn prefix(&self) -> Result<Ipv6Net, Problem> {
        let name = &self.uplink.interface;
        self.uplink.any().ok_or_else(|| {
            let what = UplinkError::NoPrefix(name.clone());
            Problem::passing(Code::NoUplinkPrefix, what)
        })
    }

    /// The address of a far end, and all that a name has.
    fn addresses(&self, remote: &Endpoint) -> Result<(Ipv6Addr, Vec<Ipv6Addr>), Problem> {
        let name = match remote {
            Endpoint::Address(address) => return Ok((*address, Vec::new())),
            Endpoint::Name(name) => name,
        };
        let unknown = |why| Problem::passing(Code::NameNotResolved, why);
        let all = self.router.resolve(name, self.uplink).map_err(unknown)?;
        let silent = self.router.silent(&self.settings.interface);
        // One that was silent for longer comes before one that just was.
        let silence = |address: &&Ipv6Addr| {
            let at = silent.iter().position(|other| other == *address);
            at.map_or(0, |at| silent.len() - at)
        };
        match all.iter().min_by_key(silence) {
            Some(best) => Ok((*best, all)),
            None => Err(unknown(said!(
                "name_without_address",
                "{name} has no address",
                name
            ))),
        }
    }
}
