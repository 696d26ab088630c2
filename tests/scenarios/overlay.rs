// SPDX-License-Identifier: GPL-2.0-or-later
//! What is laid over the root folder of OpenWrt for the real daemons.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

const NETWORK: &str = "config interface loopback
	option device lo
	option proto static
	option ipaddr 127.0.0.1
	option netmask 255.0.0.0

config interface wan6
	option device wan
	option proto line

config interface wan7
	option device wanb
	option proto line
";

const FIREWALL: &str = "config defaults
	option input REJECT
	option output ACCEPT
	option forward REJECT

config zone
	option name wan
	option network 'wan6 wan7'
	option input REJECT
	option output ACCEPT
	option forward REJECT
	option masq 1
	option mtu_fix 1
";

/// Everything that is laid over the prefix: the package's files and the tests' own.
pub fn lay_out(files: &Path, prefix: &Path) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = repository.join("tests/netifd");
    let make = |folder: &str| {
        let path = files.join(folder);
        fs::create_dir_all(&path).unwrap();
        path
    };
    for folder in ["etc/config", "lib/netifd/proto", "usr/sbin", "usr/lib/mape"] {
        make(folder);
    }
    let copy = Command::new("cp")
        .args(["-a", "-T"])
        .arg(repository.join("files"))
        .arg(files)
        .status()
        .unwrap();
    assert!(copy.success());
    fs::write(files.join("etc/config/network"), NETWORK).unwrap();
    fs::write(files.join("etc/config/firewall"), FIREWALL).unwrap();
    install(&files.join("usr/sbin/mape"));
    for script in ["map.sh", "mape.sh"] {
        symlink("/usr/sbin/mape", files.join("usr/lib/mape").join(script)).unwrap();
        fs::copy(
            tests.join("count.sh"),
            files.join("lib/netifd/proto").join(script),
        )
        .unwrap();
    }
    fs::copy(
        tests.join("line.sh"),
        files.join("lib/netifd/proto/line.sh"),
    )
    .unwrap();
    libraries(files, prefix);
}

/// Puts the program where a package manager would, the new file under the old name.
pub fn install(target: &Path) {
    let new = target.with_extension("new");
    let mut copy = Command::new("install");
    copy.args(["-m", "755", env!("CARGO_BIN_EXE_mape")]);
    assert!(copy.arg(&new).status().unwrap().success());
    fs::rename(&new, target).unwrap();
}

/// The libraries of this machine that the program needs, as it is built for this machine and
/// not for the router.
fn libraries(files: &Path, prefix: &Path) {
    let listed = Command::new("ldd")
        .arg(env!("CARGO_BIN_EXE_mape"))
        .output()
        .unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    for path in listed
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
    {
        let inside = path.trim_start_matches('/');
        if !prefix.join(inside).exists() {
            let target = files.join(inside);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(path, target).unwrap();
        }
    }
}
