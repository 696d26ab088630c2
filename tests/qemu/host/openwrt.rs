// SPDX-License-Identifier: GPL-2.0-or-later
//! An OpenWrt system on a line of the lab provider: everything its user does,
//! from the installation to the removal (docs/testing.md).

mod beside;
mod disk;
mod disturb;
mod health;
mod manager;
mod page;
mod root;
mod router;
mod steps;
pub mod whole;

use super::isp::{self, Plug};
use super::{alone, boot, work_dir};
use crate::Result;
use disk::Disk;
use health::Health;
use router::Router;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Child;

/// What the steps work with.
pub struct Bench {
    router: Router,
    /// Packages to install; the router's kind is chosen from them.
    packages: PathBuf,
    /// The release that the user says it is, for the report.
    release: String,
}

/// Where router, provider and this machine meet: `ADDRESS:PORT`.
pub struct Places {
    pub line: String,
    pub lan: String,
    pub ssh: String,
    pub web: String,
}

/// Runs all steps, and says of each what it saw. What a step needs of an
/// earlier one is missing if that failed, so the first failure is the last.
pub fn main() -> Result<bool> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let image = match variable("IMAGE") {
        image if image.is_empty() => return Err("IMAGE= names no image".to_owned()),
        image => PathBuf::from(image),
    };
    let dir = work_dir();
    fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let _alone = alone(&dir)?;
    let kernel = Some(PathBuf::from(variable("KERNEL"))).filter(|path| path.is_file());
    let disk = Disk::make(&image, kernel.as_deref(), &dir)?;
    let (line, lan) = (free_port()?, free_port()?);
    let (ssh, web) = (free_port()?, free_port()?);
    let mut provider = isp::start(&isp::Plan {
        mode: "pd".to_owned(),
        provider: String::new(),
        line: Plug::Socket(line.clone()),
        lan: Some(Plug::Socket(lan.clone())),
        forwards: vec![(ssh.clone(), 22), (web.clone(), 80)],
    })?;
    let places = Places {
        line,
        lan,
        ssh,
        web,
    };
    let done = on_line(&mut provider, &disk, &places);
    let _ = provider.kill();
    let _ = provider.wait();
    done
}

fn on_line(provider: &mut Child, disk: &Disk, places: &Places) -> Result<bool> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    boot::until(provider, &work_dir().join("isp.log"), "isp: ready")?;
    let mut bench = Bench {
        router: Router::start(disk, &work_dir(), places)?,
        packages: PathBuf::from(variable("PACKAGES")),
        release: variable("RELEASE"),
    };
    Ok(told(&mut bench))
}

fn told(bench: &mut Bench) -> bool {
    let mut health = Health::default();
    for step in steps::ALL {
        let name = step.name;
        if let Some(program) = step.needs
            && bench.router.run(&format!("test -e {program}")).is_err()
        {
            println!("skipped {name}: the router has no {program}");
            continue;
        }
        let seen = (step.run)(bench).and_then(|seen| {
            health.check(&bench.router, step.netifd)?;
            Ok(seen)
        });
        match seen {
            Ok(seen) => println!("ok      {name}: {seen}"),
            Err(why) => {
                println!("FAILED  {name}: {why}");
                println!("{}", bench.router.last_words());
                return false;
            }
        }
    }
    true
}

/// A port of this machine that nobody listens at.
fn free_port() -> Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|e| e.to_string())?;
    let place = listener.local_addr().map_err(|e| e.to_string())?;
    Ok(place.to_string())
}
