// SPDX-License-Identifier: GPL-2.0-or-later
//! Which room may import which: read from the sources. docs/architecture.md
//! explains the rooms.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

/// The rooms from the lowest to the uppermost. Each may import those before it.
const ORDER: &[&str] = &[
    "paths",
    "sanitize",
    "reason",
    "members",
    "endpoint",
    "console",
    "logging",
    "uci",
    "child",
    "map",
    "mechanism",
    "provider",
    "provision",
    "ubus",
    "netifd",
    "uplink",
    "nat",
    "firewall",
    "netfilter",
    "handler",
    "status",
    "doctor",
    "cli",
];

/// A module by its path: `["nat", "edge"]` is src/nat/edge.rs.
type Module = Vec<String>;

/// Each module with the modules that it imports.
struct Sources(BTreeMap<Module, BTreeSet<Module>>);

impl Sources {
    fn read() -> Self {
        let mut texts = BTreeMap::new();
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        collect(&src, &mut Vec::new(), &mut texts);
        Self::of(&texts)
    }

    fn of(texts: &BTreeMap<Module, String>) -> Self {
        let imports_of = |module: &Module, text: &str| {
            imports(text)
                .into_iter()
                .filter_map(|path| resolve(texts, module, &path))
                .filter(|found| found != module)
                .collect()
        };
        let all = texts.iter();
        Sources(
            all.map(|(module, text)| (module.clone(), imports_of(module, text)))
                .collect(),
        )
    }

    /// Imports from one room into another: the file that imports, and both.
    fn between_rooms(&self) -> impl Iterator<Item = (String, &str, &str)> {
        let all = self.0.iter();
        all.flat_map(|(module, imports)| {
            let pairs = imports.iter().map(|import| (&*module[0], &*import[0]));
            let other = pairs.filter(|(from, to)| from != to);
            other.map(|(from, to)| (module.join("/"), from, to))
        })
    }

    /// Modules of one room that import each other in a circle.
    fn circles(&self) -> BTreeSet<Vec<String>> {
        let all = self.0.keys();
        all.filter_map(|start| self.circle(start)).collect()
    }

    /// The modules on a way of imports from `start` to itself.
    fn circle(&self, start: &Module) -> Option<Vec<String>> {
        let mut seen = BTreeSet::new();
        let mut ways = VecDeque::from([vec![start]]);
        while let Some(way) = ways.pop_front() {
            for next in &self.0[*way.last()?] {
                if next == start {
                    let mut names: Vec<String> = way.iter().map(|m| m.join("/")).collect();
                    names.sort();
                    return Some(names);
                }
                if next[0] == start[0] && seen.insert(next) {
                    ways.push_back([way.as_slice(), &[next]].concat());
                }
            }
        }
        None
    }
}

/// Reads all files below `folder`, without their tests.
fn collect(folder: &Path, module: &mut Module, texts: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            module.push(name);
            collect(&path, module, texts);
            module.pop();
        } else if !(module.is_empty() && ["lib", "main"].contains(&&*name)) && name != "tests" {
            let text = fs::read_to_string(&path).unwrap();
            let code = text
                .split("#[cfg(test)]\nmod tests {")
                .next()
                .unwrap()
                .to_owned();
            let own = (name != "mod").then_some(name);
            texts.insert(module.iter().cloned().chain(own).collect(), code);
        }
    }
}

/// Every path of a `use`, and every other one in the code.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut others = String::new();
    let mut lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    while let Some(line) = lines.next() {
        let Some((_, tree)) = line
            .split_once("use ")
            .filter(|(before, _)| is_start(before))
        else {
            others += line;
            others.push('\n');
            continue;
        };
        let mut tree = tree.to_owned();
        while !tree.contains(';') {
            tree += lines.next().expect("the end of a use");
        }
        tree.retain(|c| !c.is_whitespace() && c != ';');
        expand("", &tree, &mut found);
    }
    inline(&others, &mut found);
    found
}

/// Whether this may stand before `use`.
fn is_start(before: &str) -> bool {
    ["", "pub", "pub(crate)", "pub(super)"].contains(&before.trim_end())
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn expand(prefix: &str, tree: &str, found: &mut Vec<String>) {
    let Some((head, rest)) = tree.split_once('{') else {
        found.push(format!("{prefix}{tree}"));
        return;
    };
    let inner = rest.strip_suffix('}').unwrap();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 && start < at => {
                expand(&format!("{prefix}{head}"), &inner[start..at], found);
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// Paths in code: `crate::nat::f()`, `child::f()`.
fn inline(code: &str, found: &mut Vec<String>) {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let words = code.split(|c| !is_path(c));
    let paths = words.filter(|word| word.contains("::") && !word.starts_with(':'));
    found.extend(paths.map(str::to_owned));
}

/// The module that `path`, written in `module`, leads to.
fn resolve(texts: &BTreeMap<Module, String>, module: &Module, path: &str) -> Option<Module> {
    let mut words = path.split("::").peekable();
    let mut place = match *words.peek()? {
        "crate" => Vec::new(),
        "self" => module.clone(),
        "super" => {
            let mut place = module.clone();
            while words.next_if_eq(&"super").is_some() {
                place.pop();
            }
            place
        }
        // A child of this module, or a crate of others.
        child => {
            let child = [module.as_slice(), &[child.to_owned()]].concat();
            if !texts.contains_key(&child) {
                return None;
            }
            module.clone()
        }
    };
    words.next_if(|word| ["crate", "self"].contains(word));
    for word in words {
        let deeper = [place.as_slice(), &[word.to_owned()]].concat();
        if !texts.contains_key(&deeper) {
            break;
        }
        place = deeper;
    }
    (!place.is_empty()).then_some(place)
}

#[test]
fn lower_rooms_never_import_upper_ones() {
    let sources = Sources::read();
    let place = |room: &str| ORDER.iter().position(|known| *known == room);
    for module in sources.0.keys() {
        assert!(place(&module[0]).is_some(), "{} has no place", module[0]);
    }
    let upwards: Vec<String> = sources
        .between_rooms()
        .filter(|(_, from, to)| place(from) < place(to))
        .map(|(file, _, to)| format!("{file} imports {to}"))
        .collect();
    assert!(upwards.is_empty(), "{upwards:#?}");
}

#[test]
fn no_files_of_a_room_import_each_other_in_a_circle() {
    let circles = Sources::read().circles();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn the_page_lists_the_rooms_and_their_imports() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let page = fs::read_to_string(path).unwrap();
    let names = |cell: &str| -> BTreeSet<String> {
        let names = cell.split('`').skip(1).step_by(2);
        names.map(str::to_owned).collect()
    };
    let mut told = Vec::new();
    let rows = page.lines().skip_while(|line| !line.starts_with("| room"));
    for row in rows.skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').collect();
        told.push((cells[1].replace(['`', ' '], ""), names(cells[3])));
    }
    let sources = Sources::read();
    let imports = |room: &&str| {
        let all = sources.between_rooms();
        let imports = all.filter(|(_, from, _)| from == room);
        imports.map(|(_, _, to)| to.to_owned()).collect()
    };
    let found: Vec<(String, BTreeSet<String>)> = ORDER
        .iter()
        .map(|room| ((*room).to_owned(), imports(room)))
        .collect();
    let wrong: Vec<_> = found.iter().filter(|row| !told.contains(row)).collect();
    assert!(
        wrong.is_empty(),
        "docs/architecture.md should have {wrong:#?}"
    );
    assert!(told.iter().eq(&found), "the rows are in another order");
}

/// What the tests above rely on.
#[test]
fn imports_are_found() {
    let text = |module: &[&str], text: &str| {
        let module = module.iter().map(|word| (*word).to_owned()).collect();
        (module, text.to_owned())
    };
    let sources = Sources::of(&BTreeMap::from([
        text(&["low"], "use std::fmt;\npub fn f() {}\n"),
        text(&["up"], "mod a;\nmod b;\npub use a::A;\n"),
        text(
            &["up", "a"],
            "use super::b::{self, B};\nuse crate::{\n    low,\n};\n",
        ),
        text(
            &["up", "b"],
            "// super::a::A\nfn f() { crate::up::a::g(); }\n",
        ),
    ]));
    let rooms: Vec<_> = sources.between_rooms().collect();
    assert_eq!(rooms, [("up/a".to_owned(), "up", "low")]);
    let circle = vec!["up/a".to_owned(), "up/b".to_owned()];
    assert_eq!(sources.circles(), BTreeSet::from([circle]));
    let through_parent = Sources::of(&BTreeMap::from([
        text(&["up"], "pub use a::A;\n"),
        text(&["up", "a"], "use super::B;\n"),
    ]));
    assert_eq!(through_parent.circles().len(), 1);
}
