// SPDX-License-Identifier: GPL-2.0-or-later
//! The whole ruleset of a plan as text for nft.

use crate::fingerprint::fingerprint;

use super::plan::Plan;
use super::technique::Technique;
use super::template::Template;

impl Plan {
    /// Everything, as one transaction that replaces what was loaded before.
    /// The device must exist: nft refuses the edge map while it is missing,
    /// and with it the whole transaction.
    pub fn combined(&self) -> String {
        let table = self.table();
        let bodies = self.bodies();
        let marker = bodies.marker();
        let mut text = replacement("ip", &table);
        text += &bodies.inside;
        text += "\tchain ";
        text += &marker;
        text += " {\n\t}\n}\n";
        for (family, body, is_possible) in [
            ("ip6", &bodies.outer, true),
            ("netdev", &bodies.edge, self.has_netdev()),
        ] {
            if !body.is_empty() {
                text += &replacement(family, &table);
                text += body;
                text += "}\n";
            } else if is_possible {
                text += &delete(family, &table);
            }
        }
        text
    }

    fn bodies(&self) -> Bodies {
        let mut rules = Template::default();
        rules.set("interface", &self.line().interface);
        rules.set("device", &self.line().device);
        rules.set("address", &self.address());
        rules.set("net", &self.network());
        rules.set("passing", self.passing());
        super::exhaustion::add(&mut rules, self);
        super::inside::add(&mut rules, self);
        let inside = rules.take();
        super::outer::add(&mut rules, self);
        let outer = rules.take();
        if let Technique::Pool(pool) = self.technique() {
            super::edge::add(&mut rules, self, pool);
        }
        Bodies {
            inside,
            outer,
            edge: rules.take(),
        }
    }

    /// Name of an empty chain by which loaded rules are recognised: it changes
    /// when they change.
    pub fn marker(&self) -> String {
        self.bodies().marker()
    }
}

/// What stands in the tables; empty where there is none.
struct Bodies {
    inside: String,
    outer: String,
    edge: String,
}

impl Bodies {
    fn marker(&self) -> String {
        let print = fingerprint(&[&self.inside, &self.outer, &self.edge]);
        format!("rules_{print:016x}")
    }
}

/// Deletes a table that may or may not be there.
pub(super) fn delete(family: &str, table: &str) -> String {
    // Deleting a missing table is an error, adding an existing one is not.
    format!("table {family} {table}\ndelete table {family} {table}\n")
}

/// The beginning of a table in place of one that may or may not be there.
fn replacement(family: &str, table: &str) -> String {
    let delete = delete(family, table);
    format!("{delete}table {family} {table} {{\n")
}
