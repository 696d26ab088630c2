// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading a providers file over a table.

use serde_json::{Map, Value};

use crate::map::{Dialect, MAX_RULES, MapType};

use super::known::{EncapLimit, KnownRule, Provider};
use super::overlap::{self, Owner, Prefixes};
use super::problem::{FORMAT, Problem, Warning};
use super::read::{self, Common, LineEntry, ProviderEntry, RuleEntry};
use super::table::Table;
use crate::sanitize::one_line;

/// Most characters of a key or an id that are quoted.
const MAX_NAME: usize = 40;
/// Warnings kept of one file: a log is no place for thousands.
const MAX_WARNINGS: usize = 20;

impl Table {
    /// A table of one file alone.
    pub fn parse(text: &str, source: &str) -> (Table, Vec<Warning>) {
        let mut table = Table::default();
        let warnings = table.extend(text, source);
        (table, warnings)
    }

    /// Reads a file over the table. What it says of a provider replaces what
    /// was known; its rules replace all known ones within their IPv6
    /// prefixes; `null` drops a provider. Returns what was not used, and why.
    pub fn extend(&mut self, text: &str, source: &str) -> Vec<Warning> {
        let mut reader = Reader {
            source,
            warnings: Vec::new(),
            left_out: 0,
            ipv6: Prefixes::default(),
            over: Table::default(),
            dropped: Vec::new(),
        };
        match serde_json::from_str(text) {
            Ok(members) => reader.file(members, self),
            Err(error) if error.is_data() => reader.warn(String::new(), Problem::NotObject),
            Err(error) => reader.warn(String::new(), Problem::Syntax(error.to_string())),
        }
        reader.apply(self);
        reader.finish()
    }
}

struct Reader<'a> {
    source: &'a str,
    warnings: Vec<Warning>,
    left_out: usize,
    /// Rule IPv6 prefixes of this file.
    ipv6: Prefixes,
    /// What the file holds.
    over: Table,
    /// Ids the file wants to be gone.
    dropped: Vec<String>,
}

impl Reader<'_> {
    fn warn(&mut self, entry: String, problem: Problem) {
        if self.warnings.len() >= MAX_WARNINGS {
            self.left_out += 1;
            return;
        }
        self.warnings.push(Warning {
            source: self.source.into(),
            entry,
            problem,
        });
    }

    fn finish(mut self) -> Vec<Warning> {
        if self.left_out > 0 {
            self.warnings.push(Warning {
                source: self.source.into(),
                entry: String::new(),
                problem: Problem::More(self.left_out),
            });
        }
        self.warnings
    }

    /// Reads each entry by itself, so that a broken one costs nothing but
    /// itself.
    fn file(&mut self, mut members: Map<String, Value>, base: &Table) {
        if members.remove("format").is_some_and(|f| f != FORMAT) {
            return self.warn(String::new(), Problem::Format);
        }
        for (key, value) in members {
            match (key.as_str(), value) {
                ("note" | "sources", _) => {}
                ("providers", Value::Object(all)) => {
                    for (id, value) in all {
                        self.provider(&id, value, base);
                    }
                }
                ("not_map", Value::Object(all)) => {
                    for (id, value) in all {
                        self.other(&id, value, base);
                    }
                }
                ("providers" | "not_map", _) => self.warn(key, Problem::NotObject),
                _ => self.warn(String::new(), Problem::Key(one_line(&key, MAX_NAME))),
            }
        }
    }

    fn provider(&mut self, id: &str, value: Value, base: &Table) {
        if value.is_null() {
            self.dropped.push(id.into());
            return;
        }
        let name = one_line(id, MAX_NAME);
        if !read::is_id(id) {
            return self.warn(name, Problem::Id);
        }
        let known = base.providers.iter().find(|p| p.id == id);
        let mut provider = known.map_or_else(|| Provider::blank(id), Provider::without_rules);
        let read = read::entry::<ProviderEntry>(value)
            .and_then(|entry| Ok((entry.put_over(&mut provider)?, entry.rules)));
        match read {
            Ok(_) if !self.has_room(1, base) => return self.warn(name, Problem::Full),
            Ok((common, rules)) => self.rules(rules, &mut provider, common),
            Err(problem) => return self.warn(name, problem),
        }
        self.over.providers.push(provider);
    }

    /// Whether the table may have so many entries more. Each is compared with
    /// every other, so without a limit a file could keep a router busy.
    fn has_room(&self, more: usize, base: &Table) -> bool {
        base.entry_count() + self.over.entry_count() + more <= MAX_RULES
    }

    fn rules(&mut self, list: Vec<Value>, provider: &mut Provider, common: Common) {
        let mut ipv4 = Prefixes::default();
        for (value, number) in list.into_iter().zip(1..) {
            let read = read::entry::<RuleEntry>(value)
                .and_then(|entry| entry.rule(provider, common))
                .and_then(|rule| {
                    self.place(&rule, number, provider, &mut ipv4)?;
                    Ok(rule)
                });
            match read {
                Ok(rule) => provider.rules.push(rule),
                Err(problem) => self.warn(format!("{} rule {number}", provider.id), problem),
            }
        }
    }

    /// Checks that no other rule of the file has the addresses of this one.
    fn place(
        &mut self,
        rule: &KnownRule,
        number: usize,
        provider: &Provider,
        ipv4: &mut Prefixes,
    ) -> Result<(), Problem> {
        if self.over.rule_count() + provider.rules.len() >= MAX_RULES {
            return Err(Problem::Full);
        }
        let own = self.over.providers.len();
        let overlapping = |key, (other, rule): Owner| Problem::Overlap {
            key,
            provider: self
                .over
                .providers
                .get(other)
                .map_or_else(|| provider.id.clone(), |p| p.id.clone()),
            rule,
        };
        let place = self.ipv6.insert(rule.ipv6, (own, number));
        place.map_err(|owner| overlapping("ipv6", owner))?;
        let place = ipv4.insert(overlap::in_ipv6(rule.ipv4), (own, number));
        place.map_err(|owner| overlapping("ipv4", owner))
    }

    fn other(&mut self, id: &str, value: Value, base: &Table) {
        if value.is_null() {
            self.dropped.push(id.into());
            return;
        }
        let read = match read::is_id(id) {
            true => read::entry::<LineEntry>(value).and_then(|entry| entry.line(id)),
            false => Err(Problem::Id),
        };
        match read {
            Ok(line) if !self.has_room(1 + line.prefixes.len(), base) => {
                self.warn(line.id, Problem::Full);
            }
            Ok(line) => self.over.others.push(line),
            Err(problem) => self.warn(one_line(id, MAX_NAME), problem),
        }
    }

    /// Puts what was read over `base`.
    fn apply(&mut self, base: &mut Table) {
        let over = std::mem::take(&mut self.over);
        base.providers.retain(|p| !self.dropped.contains(&p.id));
        base.others.retain(|line| !self.dropped.contains(&line.id));
        for provider in &mut base.providers {
            provider.rules.retain(|rule| !over.covers(&rule.ipv6));
        }
        for line in &mut base.others {
            line.prefixes.retain(|prefix| !over.covers(prefix));
        }
        for provider in over.providers {
            self.put(base, provider);
        }
        for line in over.others {
            base.others.retain(|known| known.id != line.id);
            base.others.push(line);
        }
    }

    fn put(&mut self, base: &mut Table, mut provider: Provider) {
        let room = MAX_RULES.saturating_sub(base.rule_count());
        if provider.rules.len() > room {
            provider.rules.truncate(room);
            self.warn(provider.id.clone(), Problem::Full);
        }
        let Some(known) = base.providers.iter_mut().find(|p| p.id == provider.id) else {
            base.providers.push(provider);
            return;
        };
        // What the file changed for the whole provider must suit its old
        // rules too.
        for rule in std::mem::take(&mut known.rules) {
            match read::check(&rule, &provider, None) {
                Ok(()) => provider.rules.push(rule),
                Err(problem) => self.warn(format!("{} rule {}", provider.id, rule.ipv6), problem),
            }
        }
        *known = provider;
    }
}

impl Provider {
    /// A provider nothing is known of yet.
    fn blank(id: &str) -> Self {
        Provider {
            id: id.into(),
            name: id.into(),
            map_type: MapType::MapE,
            dialect: Dialect::Rfc7597,
            offset: None,
            border: None,
            mtu: None,
            encap_limit: EncapLimit::Ignore,
            mesh: false,
            rules: Vec::new(),
        }
    }

    fn without_rules(&self) -> Self {
        Provider {
            id: self.id.clone(),
            name: self.name.clone(),
            rules: Vec::new(),
            ..*self
        }
    }
}
