// SPDX-License-Identifier: GPL-2.0-or-later
//! The configuration netifd hands to a handler.
//!
//! netifd concatenates the attributes of interface, handler and device, so a
//! name may occur twice; the last one counts. Interfaces made at run time pass
//! whatever their maker wrote: numbers and truth values as text, and members
//! that nobody declared.

use serde_json::{Map, Value};

use crate::reason::{Reason, Tell, said, sentence};
use crate::sanitize::excerpt;
use crate::uci::parse_bool;

/// Options by name, each as it was written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config(Map<String, Value>);

/// Why a configuration or one option was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not JSON, or no object.
    Json(String),
    /// Not a number, or out of range.
    Number {
        /// Name of the option.
        option: &'static str,
        /// What it was set to.
        value: String,
        /// Smallest value allowed.
        min: u16,
        /// Largest value allowed.
        max: u16,
    },
    /// Not a truth value.
    Bool {
        /// Name of the option.
        option: &'static str,
        /// What it was set to.
        value: String,
    },
    /// A list or table where one value belongs.
    Single {
        /// Name of the option.
        option: &'static str,
    },
}

impl Tell for ConfigError {
    fn reason(&self) -> Reason {
        match self {
            Self::Json(reason) => said!(
                "config_json",
                "the configuration is not a JSON object: {reason}",
                reason
            ),
            Self::Number {
                option,
                value,
                min,
                max,
            } => said!(
                "config_number",
                "{option} {value}: must be a number from {min} to {max}",
                option,
                excerpt(value),
                min,
                max
            ),
            Self::Bool { option, value } => said!(
                "config_bool",
                "{option} {value}: must be 0 or 1",
                option,
                excerpt(value)
            ),
            Self::Single { option } => {
                said!("config_single", "{option}: must be a single value", option)
            }
        }
    }
}

sentence!(ConfigError);

impl<'a> FromIterator<(&'a str, &'a str)> for Config {
    /// Of options as UCI has them: one that occurs again is a list.
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(options: I) -> Self {
        let mut members = Map::new();
        for (name, value) in options {
            let member = members.entry(name).or_insert(Value::Null);
            *member = match member.take() {
                Value::Null => value.into(),
                Value::Array(mut list) => {
                    list.push(value.into());
                    list.into()
                }
                first => vec![first, value.into()].into(),
            };
        }
        Config(members)
    }
}

impl Config {
    /// Reads the argument netifd passes.
    ///
    /// # Errors
    /// Anything but a JSON object.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let options = serde_json::from_str(text);
        options
            .map(Config)
            .map_err(|error| ConfigError::Json(error.to_string()))
    }

    /// Whether the DHCPv6 client made the interface at run time, so that no
    /// section of `/etc/config/network` describes it.
    pub fn is_from_dhcp(&self) -> bool {
        self.0.contains_key("_prefsig")
    }

    /// Sets an option, whatever it was before.
    pub fn set(&mut self, option: &str, value: &str) {
        self.0.insert(option.to_owned(), value.into());
    }

    /// The option as text; `None` if it is missing, null or empty, which UCI does
    /// not tell apart either.
    ///
    /// # Errors
    /// A list or a table.
    pub fn text(&self, option: &'static str) -> Result<Option<String>, ConfigError> {
        let Some(value) = self.0.get(option) else {
            return Ok(None);
        };
        let text = scalar(value).ok_or(ConfigError::Single { option })?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// The option as a number from `min` to `max`, which may be written as
    /// text.
    ///
    /// # Errors
    /// Not a number, or out of range.
    pub fn number(
        &self,
        option: &'static str,
        min: u16,
        max: u16,
    ) -> Result<Option<u16>, ConfigError> {
        let Some(text) = self.text(option)? else {
            return Ok(None);
        };
        match text.parse::<u16>() {
            Ok(number) if (min..=max).contains(&number) => Ok(Some(number)),
            _ => Err(ConfigError::Number {
                option,
                value: text,
                min,
                max,
            }),
        }
    }

    /// The option as a truth value in any spelling UCI knows.
    ///
    /// # Errors
    /// Any other word.
    pub fn flag(&self, option: &'static str) -> Result<Option<bool>, ConfigError> {
        let Some(text) = self.text(option)? else {
            return Ok(None);
        };
        match parse_bool(&text) {
            Some(value) => Ok(Some(value)),
            None => Err(ConfigError::Bool {
                option,
                value: text,
            }),
        }
    }

    /// The option as a list: its elements, each split at white space. A single
    /// text is split as well.
    ///
    /// # Errors
    /// An element that is itself a list or a table.
    pub fn list(&self, option: &'static str) -> Result<Vec<String>, ConfigError> {
        let elements = match self.0.get(option) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(elements)) => elements.as_slice(),
            Some(single) => std::slice::from_ref(single),
        };
        let mut words = Vec::new();
        for element in elements {
            let text = scalar(element).ok_or(ConfigError::Single { option })?;
            words.extend(text.split_whitespace().map(str::to_owned));
        }
        Ok(words)
    }
}

/// Text of anything that is one value.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Bool(flag) => Some(u8::from(*flag).to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As netifd printed it.
    const REAL: &str = r#"{"proto":"map","zone":"wan","metric":9,"defaultroute":true,"maptype":"map-e","legacymap":true,"tunlink":"wan6","peeraddr":"2404:9200:225:100::64","ipaddr":"14.8.0.0","ip4prefixlen":15,"ip6prefix":"240b:12::","ip6prefixlen":31,"ealen":25,"psidlen":8,"offset":4,"mtu":1460,"encaplimit":"ignore","zone":"lan","ttl":64,"mtu":1400,"ipv6":false}"#;

    #[test]
    fn of_duplicates_the_last_counts() {
        let config = Config::parse(REAL).unwrap();
        assert_eq!(config.text("zone").unwrap().as_deref(), Some("lan"));
        assert_eq!(config.number("mtu", 0, 9200).unwrap(), Some(1400));
        assert_eq!(config.flag("legacymap").unwrap(), Some(true));
        assert_eq!(config.text("provider").unwrap(), None);
    }

    #[test]
    fn dynamic_interfaces_pass_text() {
        let config = Config::parse(
            r#"{"ealen":"16","legacymap":"0","rule":"a=1 b=2","name":"x","mesh":"maybe","psid":""}"#,
        )
        .unwrap();
        assert_eq!(config.number("ealen", 0, 48).unwrap(), Some(16));
        assert_eq!(config.flag("legacymap").unwrap(), Some(false));
        assert_eq!(config.list("rule").unwrap(), ["a=1", "b=2"]);
        assert_eq!(config.number("psid", 0, 65535).unwrap(), None);
        assert_eq!(
            config.flag("mesh").unwrap_err().to_string(),
            "mesh maybe: must be 0 or 1"
        );
    }

    #[test]
    fn lists_and_what_is_none() {
        let config = Config::parse(r#"{"rule":["a b","c"],"mtu":[1],"reserve":[[1]]}"#).unwrap();
        assert_eq!(config.list("rule").unwrap(), ["a", "b", "c"]);
        assert!(config.list("missing").unwrap().is_empty());
        assert_eq!(
            config.number("mtu", 0, 1).unwrap_err().to_string(),
            "mtu: must be a single value"
        );
        assert!(config.list("reserve").is_err());
    }

    #[test]
    fn of_what_uci_says_again_a_list_is_made() {
        let options = [("mtu", "1460"), ("rule", "a"), ("rule", "b"), ("rule", "c")];
        let config: Config = options.into_iter().collect();
        assert_eq!(config.number("mtu", 0, 9200).unwrap(), Some(1460));
        assert_eq!(config.list("rule").unwrap(), ["a", "b", "c"]);
    }

    #[test]
    fn out_of_range_and_not_json() {
        let config = Config::parse(r#"{"ealen":99}"#).unwrap();
        assert_eq!(
            config.number("ealen", 0, 48).unwrap_err().to_string(),
            "ealen 99: must be a number from 0 to 48"
        );
        for text in ["", "{", "[]", "null", "{\"a\":1"] {
            assert!(Config::parse(text).is_err(), "{text}");
        }
    }
}
