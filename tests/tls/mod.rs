// SPDX-License-Identifier: GPL-2.0-or-later
//! Servers with certificates for tests: those of the lab's provider, in the
//! test's mount and network namespace. `UCLIENT_FETCH=path` takes OpenWrt's
//! client; else curl plays it, with its command line, its words and its exit
//! statuses. Both verify.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

#[path = "../qemu/guest/carrier/tls.rs"]
mod lab;

use std::fs;
use std::io;
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lab::{ReadWrite, Tls};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// What plays `uclient-fetch` if it is not there.
const STAND_IN: &str = r#"#!/bin/sh
verify= seconds=
while [ $# -gt 1 ]; do
	case $1 in
	-T) seconds=$2; shift ;;
	-O | -Y) shift ;;
	--no-check-certificate) verify=-k ;;
	esac
	shift
done
url=$1 hops=0
exec 3>&1
while :; do
	said=$(printf 'url = "%s"\n' "$url" | curl -6 -s -f --noproxy '*' --capath /nowhere \
		--cacert /etc/ssl/certs/lab.crt $verify --max-time "$seconds" -o /dev/fd/3 \
		-w '%{http_code} %{redirect_url}' -K -)
	status=$? url=${said#* } hops=$((hops + 1))
	[ -n "$url" ] && [ "$hops" -le 10 ] || break
	place=${url#*://}
	place=${place#*@}
	echo "Redirected to /${place#*/} on ${place%%/*}" >&2
done
case $status in
0) exit 0 ;;
60) exit 5 ;;
22) echo "HTTP error ${said%% *}" >&2; exit 8 ;;
*) exit 4 ;;
esac
"#;

/// An authority that this test's programs trust, and servers that it vouches
/// for.
pub struct Authority {
    tls: Tls,
}

impl Authority {
    /// Gives the thread, and what it starts, a mount namespace where `names`
    /// have the address `at` and only this authority is trusted. Before the
    /// first thread of a router is started. `None`, with the reason, if a
    /// program is missing.
    pub fn new(names: &[&str], at: Ipv6Addr) -> Option<Self> {
        let is_real = std::env::var_os("UCLIENT_FETCH").is_some();
        if !is_real && Command::new("curl").arg("--version").output().is_err() {
            crate::router::skip::skip("curl is not installed");
            return None;
        }
        if unshare(CloneFlags::CLONE_NEWNS).is_err() {
            crate::router::skip::skip("a mount namespace needs root");
            return None;
        }
        let tls = Tls::new(names).unwrap();
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, private, None::<&str>).unwrap();
        let folder = Path::new("/tmp");
        let in_memory = Some("tmpfs");
        mount(in_memory, folder, in_memory, MsFlags::empty(), None::<&str>).unwrap();
        let hosts: String = names.iter().map(|name| format!("{at} {name}\n")).collect();
        fs::write(folder.join("hosts"), hosts).unwrap();
        bind(&folder.join("hosts"), "/etc/hosts");
        fs::create_dir(folder.join("certs")).unwrap();
        fs::write(folder.join("certs/lab.crt"), tls.authority()).unwrap();
        bind(&folder.join("certs"), "/etc/ssl/certs");
        Some(Authority { tls })
    }

    /// Gives the router at `root` the program that fetches over https.
    pub fn equip(root: &Path) {
        let place = root.join("bin/uclient-fetch");
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        if let Some(real) = std::env::var_os("UCLIENT_FETCH") {
            return symlink(real, place).unwrap();
        }
        crate::program::write(&place, STAND_IN);
    }

    /// A server at port 443 of `at` that shows a certificate, or none, by a
    /// word of [`Tls::show`], and answers each request with what `answer` makes
    /// of it.
    pub fn serve(
        &self,
        at: Ipv6Addr,
        shown: &str,
        answer: impl Fn(&str) -> String + Send + 'static,
    ) -> Server {
        assert!(self.tls.show(shown).unwrap(), "{shown} is no TLS");
        let tls = self.tls.clone();
        let (tell, requests) = channel();
        let enter = move |stream| {
            // The delay of a network: `uclient-fetch` of February 2026 fails if
            // the answer to its greeting is there at once.
            thread::sleep(Duration::from_millis(20));
            // A client that refuses the certificate goes in the middle.
            let _ = tls.accept(stream, |stream| converse(stream, &answer, &tell));
        };
        Server {
            requests,
            _door: Door::open(at, enter),
        }
    }
}

/// Answers one request after the other until the client closes the connection.
fn converse(
    stream: &mut dyn ReadWrite,
    answer: impl Fn(&str) -> String,
    tell: &Sender<Request>,
) -> io::Result<()> {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while stream.read(&mut byte)? > 0 {
        request.push(byte[0]);
        if !request.ends_with(b"\r\n\r\n") {
            continue;
        }
        let head = String::from_utf8_lossy(&request).into_owned();
        request.clear();
        let arguments = arguments_of_all();
        let answer = answer(&head);
        let _ = tell.send(Request { head, arguments });
        stream.write_all(answer.as_bytes())?;
        stream.flush()?;
    }
    Ok(())
}

/// The command line of every process, as `ps` shows it.
pub fn arguments_of_all() -> String {
    let mut all = String::new();
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let arguments = fs::read(process.path().join("cmdline")).unwrap_or_default();
        all += &String::from_utf8_lossy(&arguments);
    }
    all
}

/// A request over TLS.
pub struct Request {
    /// As it came.
    pub head: String,
    /// The arguments of all processes while it waited for its answer.
    pub arguments: String,
}

/// A server that runs as long as this.
pub struct Server {
    pub requests: Receiver<Request>,
    _door: Door,
}

/// A listener at port 443 that is open as long as this.
struct Door {
    at: Ipv6Addr,
    is_open: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Door {
    fn open(at: Ipv6Addr, enter: impl Fn(TcpStream) + Send + 'static) -> Self {
        let listener = listen(at);
        let is_open = Arc::new(AtomicBool::new(true));
        let still_open = Arc::clone(&is_open);
        let thread = thread::spawn(move || {
            while still_open.load(Ordering::Relaxed) {
                enter(listener.accept().unwrap().0);
            }
        });
        let thread = Some(thread);
        Door {
            at,
            is_open,
            thread,
        }
    }
}

/// Listens at port 443. A program that another test of this process is about to
/// start holds the door before it for a moment.
fn listen(at: Ipv6Addr) -> TcpListener {
    for _ in 0..500 {
        match TcpListener::bind((at, 443)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                thread::sleep(Duration::from_millis(10));
            }
            done => return done.unwrap(),
        }
    }
    panic!("port 443 of {at} is taken")
}

impl Drop for Door {
    fn drop(&mut self) {
        self.is_open.store(false, Ordering::Relaxed);
        // It waits for somebody.
        drop(TcpStream::connect((self.at, 443)));
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || ended.is_some_and(|ended| ended.is_ok()));
    }
}

fn bind(from: &Path, to: &str) {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
}
