// SPDX-License-Identifier: GPL-2.0-or-later
//! The house rules that docs/security.md promises.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// All Rust files below a folder, with their text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut folders: Vec<PathBuf> = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn unsafe_code_is_counted_and_explained() {
    let mut found = BTreeMap::new();
    for (name, text) in sources("src") {
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let blocks = code.filter(|line| line.contains("unsafe {") || line.contains("unsafe fn"));
        let blocks = blocks.count();
        assert_eq!(text.matches("// SAFETY: ").count(), blocks, "{name}");
        if blocks > 0 {
            found.insert(name, blocks);
        }
    }
    let mut told = BTreeMap::new();
    for line in read("docs/security.md").lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let [_, file, blocks, why, _] = cells[..]
            && let Some(file) = file.strip_prefix("`src/")
        {
            assert!(why.len() > 20, "{line}");
            let file = format!("src/{}", file.trim_end_matches('`'));
            told.insert(file, blocks.parse::<usize>().unwrap());
        }
    }
    assert_eq!(told, found);
    assert!(found.values().sum::<usize>() <= 3, "{found:?}");
}

/// A threat whose test is gone is a threat.
#[test]
fn every_test_that_security_promises_is_there() {
    let tests: Vec<(String, String)> =
        [sources("tests"), sources("src"), sources("fuzz/src")].concat();
    let text = read("docs/security.md");
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let mut promised = 0;
    for row in rows.take_while(|row| !row.contains("blocks")) {
        let shown = row.trim_end_matches('|').rsplit('|').next().unwrap();
        for name in shown.split('`').skip(1).step_by(2) {
            let test = format!("fn {name}(");
            let row = format!("row(\"{name}\"");
            let is_there = tests.iter().any(|(file, text)| {
                let is_file = ["", "/main"].map(|end| format!("tests/{name}{end}.rs"));
                is_file.contains(file) || text.contains(&test) || text.contains(&row)
            });
            assert!(is_there, "{name}");
            promised += 1;
        }
    }
    assert!(promised >= 20, "{promised}");
}

/// The only other programs that are started are nft, for https uclient-fetch,
/// and for miniupnpd a script of the package, which gets ports on its standard
/// input. No command is ever made for a shell.
#[test]
fn no_command_is_made_for_a_shell() {
    let with = |words: &[&str]| -> Vec<String> {
        let says = |text: &str| {
            let code = text.split("#[cfg(test)]").next().unwrap();
            words.iter().any(|word| code.contains(word))
        };
        let found = sources("src").into_iter().filter(|(_, text)| says(text));
        let mut names: Vec<String> = found.map(|(name, _)| name).collect();
        names.sort();
        names
    };
    let starts = ["Command::new(", "::exec", "spawn(", "::system(", "::popen("];
    assert_eq!(
        with(&starts),
        ["src/child.rs", "src/provision/fetch/mod.rs"]
    );
    assert_eq!(
        with(&["child::run("]),
        ["src/handler/upnp.rs", "src/netfilter/nft.rs"]
    );
    let script = read("src/handler/upnp.rs");
    assert!(script.contains("&[&script]") && !script.contains("\"-c\""));
}

#[test]
fn the_page_may_ask_and_no_more() {
    let path = "luci-proto-mape/root/usr/share/rpcd/acl.d/luci-proto-mape.json";
    let acl: Value = serde_json::from_str(&read(path)).unwrap();
    let grants = &acl["luci-proto-mape"];
    // Methods of ours are questions; what changes is the configuration, and an interface is restarted.
    let write = serde_json::json!({
        "ubus": { "network.interface": ["down", "up"] },
        "uci": ["firewall", "network"],
    });
    assert_eq!(grants["write"], write);
    let ours = grants["read"]["ubus"]["mape"].as_array().unwrap();
    assert!(ours.iter().all(|method| {
        ["status", "ports", "history", "calc", "doctor"].contains(&method.as_str().unwrap())
    }));
    for forbidden in ["file", "exec", "*"] {
        assert!(
            !acl.to_string().contains(&format!("\"{forbidden}\"")),
            "{forbidden}"
        );
    }
}

/// What cargo-deny checks more thoroughly (`make deny`), on every run.
#[test]
fn licences_and_sources_of_everything_in_the_lock_file() {
    const ALLOWED: [&str; 4] = ["MIT", "Apache-2.0", "GPL-2.0-or-later", "Unicode-3.0"];
    // Of the tests only, so nothing of them is distributed; as in deny.toml.
    const IN_TESTS: [(&str, &str); 4] = [
        ("ring", "ISC"),
        ("rustls-webpki", "ISC"),
        ("untrusted", "ISC"),
        ("subtle", "BSD-3-Clause"),
    ];
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        // Crates for other systems need not be here.
        .args([
            "--filter-platform",
            &format!("{}-unknown-linux-gnu", std::env::consts::ARCH),
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 10);
    for package in packages {
        let name = &package["name"];
        let licence = package["license"].as_str().unwrap_or("none");
        let licence = licence.replace(['(', ')'], "").replace('/', " OR ");
        let fits = licence.split(" AND ").all(|one| {
            one.split(" OR ").map(str::trim).any(|choice| {
                let in_tests = |(test, licence)| *name == test && choice == licence;
                ALLOWED.contains(&choice) || IN_TESTS.into_iter().any(in_tests)
            })
        });
        assert!(fits, "{name}: {licence}");
        if let Some(source) = package["source"].as_str() {
            assert!(
                source.starts_with("registry+https://github.com/rust-lang/crates.io-index"),
                "{name}: {source}"
            );
        }
    }
}

/// Each command has one line, and none is cut off on a terminal.
#[test]
fn make_help_fits_a_terminal() {
    let output = Command::new("make")
        .args(["--no-print-directory", "help"])
        .current_dir(root())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let commands = text.lines().filter(|line| line.starts_with("  make "));
    assert!(commands.count() > 20, "{text}");
    let wide: Vec<&str> = text
        .lines()
        .filter(|line| line.chars().count() >= 100)
        .collect();
    assert!(wide.is_empty(), "{wide:#?}");
}

/// What `make figures` cannot measure is said before anything is built.
#[test]
fn wrong_use_of_make_figures_is_one_line() {
    for (words, said) in [
        ("IMAGE=nowhere", "IMAGE=nowhere: no such file; "),
        ("IMAGE=Cargo.toml", "IMAGE=Cargo.toml: a script is added"),
        ("IMAGE=src STOCK=src", "STOCK=src: it has no lib/netifd"),
        ("IMAGE=src BEFORE=src", "BEFORE=src: it has no package"),
        ("SCENARIO=setup,whole", "SCENARIO=whole needs IMAGE="),
    ] {
        let mut command = Command::new("make");
        command.args(["--no-print-directory", "need-figures"]);
        // What an outer make was told reaches this one, too.
        for name in [
            "MAKEFLAGS",
            "MAKEOVERRIDES",
            "IMAGE",
            "KERNEL",
            "STOCK",
            "BEFORE",
            "SCENARIO",
        ] {
            command.env_remove(name);
        }
        command.args(words.split(' ')).current_dir(root());
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with("make")).collect();
        assert!(!output.status.success(), "{words}");
        assert!(lines.len() == 1 && lines[0].starts_with(said), "{text}");
    }
}

/// The heading as a link names it.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let text: String = heading.to_lowercase().chars().filter(kept).collect();
    text.replace(' ', "-")
}

#[test]
fn links_of_the_pages_lead_somewhere() {
    let mut pages: Vec<PathBuf> = Vec::new();
    for folder in [".", "docs"] {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        pages.extend(paths.filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    let mut seen = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for part in [
            text.split("](").skip(1).collect::<Vec<_>>(),
            text.split("src=\"").skip(1).collect(),
            text.split("href=\"").skip(1).collect(),
        ]
        .concat()
        {
            let link = part.split([')', '"']).next().unwrap();
            if link.starts_with("http") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.with_file_name(file),
            };
            let place = format!("{}: {link}", page.display());
            assert!(target.exists(), "{place}");
            if !heading.is_empty() {
                let text = fs::read_to_string(target).unwrap();
                let mut headings = text.lines().filter_map(|line| line.split_once("# "));
                assert!(headings.any(|(_, it)| anchor(it) == heading), "{place}");
            }
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}
