// SPDX-License-Identifier: GPL-2.0-or-later
//! The machine's inside: topology, traffic, scenarios.

pub mod border;
pub mod carrier;
pub mod demo;
pub mod icmp;
pub mod init;
pub mod isp;
pub mod lab;
pub mod miniupnpd;
pub mod nat;
pub mod netns;
pub mod oracle;
pub mod pace;
pub mod raw;
pub mod router;
pub mod scenarios;
pub mod server;
pub mod shell;
pub mod snapshot;
pub mod sys;
pub mod tcp;
pub mod topology;
pub mod udp;
