// SPDX-License-Identifier: GPL-2.0-or-later
//! Host dependencies: what an interface needs from another before it may be up.

use super::handler::{Dependency, Machine, ProtoCommand};
use super::world::{Happening, World};
use mape::ubus::Status;

impl World {
    pub(super) fn add_dependency(&mut self, name: &str, dependency: Dependency) -> Status {
        let Some(handler) = self.handler(name) else {
            return Status::NotSupported;
        };
        handler.dependencies.push(dependency);
        let index = handler.dependencies.len() - 1;
        self.check_dependency(name, index);
        let met = self
            .handler(name)
            .and_then(|h| h.dependencies.get(index))
            .is_some_and(|d| d.met_by.is_some());
        if met { Status::Ok } else { Status::NotFound }
    }

    fn check_dependency(&mut self, name: &str, index: usize) {
        let Some(dependency) = self.handler(name).and_then(|h| h.dependencies.get(index)) else {
            return;
        };
        if dependency.met_by.is_none() {
            let dependency = dependency.clone();
            let met_by = self.meets(&dependency);
            if let Some(d) = self
                .handler(name)
                .and_then(|h| h.dependencies.get_mut(index))
            {
                d.met_by = met_by;
            }
        }
        let all = self
            .handler(name)
            .is_some_and(|h| h.dependencies.iter().all(|d| d.met_by.is_some()));
        self.set_available(name, all);
    }

    fn meets(&self, dependency: &Dependency) -> Option<String> {
        let named = !dependency.interface.is_empty();
        self.interfaces
            .values()
            .filter(|i| i.is_up() && (!named || i.name == dependency.interface))
            .find(|i| match dependency.host {
                None => named,
                Some(host) => {
                    let routes = i.routes.iter().map(|r| (r.target.as_str(), r.mask));
                    let subnets = i.addresses.iter().map(|a| (a.address.as_str(), a.mask));
                    routes.chain(subnets).any(|(net, mask)| {
                        let net = net.parse().map(|net| ipnet::IpNet::new(net, mask));
                        matches!(net, Ok(Ok(net)) if net.contains(&host))
                    })
                }
            })
            .map(|i| i.name.clone())
    }

    pub(super) fn tell_dependants(&mut self, changed: &str, what: Happening) {
        let mut all = Vec::new();
        for (name, interface) in &self.interfaces {
            let dependencies = interface.handler.iter().flat_map(|h| &h.dependencies);
            for (index, dependency) in dependencies.enumerate() {
                all.push((name.clone(), index, dependency.met_by.clone()));
            }
        }
        for (name, index, met_by) in all {
            match what {
                Happening::Up | Happening::Update => {
                    if met_by.is_none() {
                        self.check_dependency(&name, index);
                    }
                }
                Happening::Down | Happening::UpFailed => {
                    if met_by.as_deref() == Some(changed) {
                        self.dependency_lost(&name, index);
                    }
                }
            }
        }
    }

    fn dependency_lost(&mut self, name: &str, index: usize) {
        let Some(handler) = self.handler(name) else {
            return;
        };
        if let Some(dependency) = handler.dependencies.get_mut(index) {
            dependency.met_by = None;
        }
        if handler.machine == Machine::Idle {
            self.link_lost(name);
            self.proto_command(name, ProtoCommand::Teardown);
        }
    }
}
