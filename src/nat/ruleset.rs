// SPDX-License-Identifier: GPL-2.0-or-later
//! The ruleset of a plan as text for nft.

use super::edge::Edge;
use super::inside::Inside;
use super::outer::outer_table;
use super::plan::Plan;
use super::technique::Technique;

impl Plan {
    /// All tables, as one transaction that replaces what was loaded before.
    /// The device must exist: nft refuses the edge map while it is missing,
    /// and with it the whole transaction.
    pub fn combined(&self) -> String {
        let tables = Tables::of(self);
        let table = self.table();
        let mut text = replace("ip", &table, &tables.inside_with_marker());
        text += &match &tables.outer {
            Some(content) => replace("ip6", &table, content),
            None => delete("ip6", &table),
        };
        match &tables.edge {
            Some(content) => text += &replace("netdev", &table, content),
            None if self.has_netdev() => text += &delete("netdev", &table),
            // The kernel might refuse even the deletion.
            None => {}
        }
        text
    }

    /// Name of an empty chain by which loaded rules are recognised: it changes
    /// when they change.
    pub fn marker(&self) -> String {
        Tables::of(self).marker()
    }
}

/// The content of each table.
struct Tables {
    inside: String,
    outer: Option<String>,
    edge: Option<String>,
}

impl Tables {
    fn of(plan: &Plan) -> Self {
        Tables {
            inside: Inside(plan).to_string(),
            outer: plan.line().outer.as_ref().map(outer_table),
            edge: match plan.technique() {
                Technique::Pool(pool) => Some(Edge { plan, pool }.to_string()),
                Technique::Plain(_) | Technique::Hash | Technique::Untranslated => None,
            },
        }
    }

    fn marker(&self) -> String {
        let outer = self.outer.as_deref().unwrap_or_default();
        let edge = self.edge.as_deref().unwrap_or_default();
        let print = fingerprint(&[&self.inside, outer, edge]);
        format!("rules_{print:016x}")
    }

    fn inside_with_marker(&self) -> String {
        format!("{}\tchain {} {{\n\t}}\n", self.inside, self.marker())
    }
}

/// FNV-1a in 64 bits over all parts: enough to tell whether rules changed, and
/// the same in every build of the program.
fn fingerprint(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Deletes a table, whether or not it exists: deleting a missing one is an
/// error, adding an existing one is not.
fn delete(family: &str, table: &str) -> String {
    format!("table {family} {table}\ndelete table {family} {table}\n")
}

/// Puts a table with `content` in place of one that may or may not exist.
fn replace(family: &str, table: &str, content: &str) -> String {
    let delete = delete(family, table);
    format!("{delete}table {family} {table} {{\n{content}}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the authors' test vectors.
    #[test]
    fn fingerprints_are_fnv_1a() {
        assert_eq!(fingerprint(&[""]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(&["foo", "bar"]), 0x8594_4171_f739_67e8);
    }
}
