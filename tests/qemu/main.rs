// SPDX-License-Identifier: GPL-2.0-or-later
//! Integration tests in QEMU: scenarios on a real kernel with real veth, ip6tnl and nftables.
//!
//! One binary with two roles. On the host it is the driver: it prepares a Debian
//! kernel and an initramfs, boots them in QEMU, streams the console and
//! collects the results. Inside the machine it is `/init`, which builds the
//! topology and runs the scenarios, or is the lab provider.
//!
//! `cargo test` alone boots nothing; `make test-qemu` does.
// For `guest::pace`; the compiler that builds for routers allows it.
#![cfg_attr(target_arch = "mips", feature(asm_experimental_arch))]

#[path = "../dns_answer/mod.rs"]
mod dns_answer;
#[path = "../double/mod.rs"]
mod double;
mod guest;
mod host;
mod report;

/// One sentence that says what failed; scenarios print it as their verdict.
pub type Result<T> = std::result::Result<T, String>;

fn main() -> std::process::ExitCode {
    if guest::isp::hook::called() {
        return guest::isp::hook::main();
    }
    if std::env::var_os(host::isp::IN_NAMESPACES).is_some() {
        return guest::init::in_namespaces();
    }
    if std::process::id() == 1 {
        guest::init::main();
    }
    host::main()
}
