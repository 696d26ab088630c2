// SPDX-License-Identifier: GPL-2.0-or-later
//! Servers with certificates for tests: OpenSSL's, with an authority of their
//! own, in the test's mount and network namespace. `UCLIENT_FETCH=path` takes
//! OpenWrt's client; else curl plays it, with its command line, its words and
//! its exit statuses. Both verify.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv6Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

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

/// Where OpenSSL's server listens, behind the port that clients know.
const BEHIND: u16 = 4433;

/// What is wrong with a server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    Right,
    Expired,
    /// Of another name.
    Foreign,
    /// Of an authority that nobody knows.
    Unknown,
}

/// An authority that this test's programs trust.
pub struct Authority {
    folder: PathBuf,
}

impl Authority {
    /// Gives the thread, and what it starts, a mount namespace where `names`
    /// have the address `at` and only this authority is trusted. Before the
    /// first thread of a router is started. `None`, with the reason, if a
    /// program is missing.
    pub fn new(names: &[&str], at: Ipv6Addr) -> Option<Self> {
        let is_real = std::env::var_os("UCLIENT_FETCH").is_some();
        for program in ["openssl", "curl"]
            .into_iter()
            .take(2 - usize::from(is_real))
        {
            let found = Command::new(program).arg("--version").output();
            if found.is_err() {
                crate::router::skip::skip(&format!("{program} is not installed"));
                return None;
            }
        }
        if unshare(CloneFlags::CLONE_NEWNS).is_err() {
            crate::router::skip::skip("a mount namespace needs root");
            return None;
        }
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, private, None::<&str>).unwrap();
        let folder = Path::new("/tmp");
        let in_memory = Some("tmpfs");
        mount(in_memory, folder, in_memory, MsFlags::empty(), None::<&str>).unwrap();
        let folder = folder.join("tls");
        fs::create_dir_all(folder.join("certs")).unwrap();
        let hosts: String = names.iter().map(|name| format!("{at} {name}\n")).collect();
        fs::write(folder.join("hosts"), hosts).unwrap();
        bind(&folder.join("hosts"), "/etc/hosts");
        let authority = Authority { folder };
        authority.issue("known");
        authority.issue("unknown");
        fs::copy(authority.file("known.crt"), authority.file("certs/lab.crt")).unwrap();
        bind(&authority.file("certs"), "/etc/ssl/certs");
        Some(authority)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn openssl(&self, words: &str) {
        let mut command = Command::new("openssl");
        command.current_dir(&self.folder).args(words.split(' '));
        let done = command.output().unwrap();
        assert!(done.status.success(), "openssl {words}: {done:?}");
    }

    /// Makes an authority.
    fn issue(&self, name: &str) {
        self.openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
             -keyout {name}.key -out {name}.crt -subj /CN={name}"
        ));
    }

    /// Makes a server's key and certificate for `name`.
    fn certify(&self, name: &str, certificate: Certificate) {
        let subject = match certificate {
            Certificate::Foreign => "other.example",
            _ => name,
        };
        let days = match certificate {
            Certificate::Expired => -1,
            _ => 30,
        };
        let authority = match certificate {
            Certificate::Unknown => "unknown",
            _ => "known",
        };
        fs::write(
            self.file("names"),
            format!("subjectAltName=DNS:{subject}\n"),
        )
        .unwrap();
        self.openssl(&format!(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key \
             -out server.csr -subj /CN={subject}"
        ));
        self.openssl(&format!(
            "x509 -req -in server.csr -CA {authority}.crt -CAkey {authority}.key -days {days} \
             -extfile names -out server.crt"
        ));
    }

    /// Gives the router at `root` the program that fetches over https.
    pub fn equip(root: &Path) {
        let place = root.join("bin/uclient-fetch");
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        if let Some(real) = std::env::var_os("UCLIENT_FETCH") {
            return symlink(real, place).unwrap();
        }
        fs::write(&place, STAND_IN).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A server of `name` at port 443 of `at` that answers each request with
    /// what `answer` makes of it.
    pub fn serve(
        &self,
        name: &str,
        at: Ipv6Addr,
        certificate: Certificate,
        answer: impl Fn(&str) -> String + Send + 'static,
    ) -> Server {
        self.certify(name, certificate);
        let mut child = Command::new("openssl")
            .current_dir(&self.folder)
            .args(["s_server", "-quiet", "-accept"])
            .arg(format!("[::1]:{BEHIND}"))
            .args(["-cert", "server.crt", "-key", "server.key"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (tell, requests) = channel();
        thread::spawn(move || {
            let (mut request, mut byte) = (Vec::new(), [0]);
            while output.read_exact(&mut byte).is_ok() {
                request.push(byte[0]);
                if !request.ends_with(b"\r\n\r\n") {
                    continue;
                }
                let head = String::from_utf8_lossy(&request).into_owned();
                request.clear();
                let arguments = arguments_of_all();
                let answer = answer(&head);
                let _ = tell.send(Request { head, arguments });
                if input.write_all(answer.as_bytes()).is_err() || input.flush().is_err() {
                    break;
                }
            }
        });
        // The port is taken once it listens.
        while TcpListener::bind((Ipv6Addr::LOCALHOST, BEHIND)).is_ok() {
            thread::sleep(Duration::from_millis(10));
        }
        Server {
            child,
            requests,
            _door: Door::open(at, pass_on),
        }
    }
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
    child: Child,
    pub requests: Receiver<Request>,
    _door: Door,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that closes each connection before the end of the handshake.
pub fn slam(at: Ipv6Addr) -> Door {
    Door::open(at, |mut stream| {
        // The client's greeting.
        let _ = stream.read(&mut [0; 64]);
    })
}

/// A listener at port 443 that is open as long as this.
pub struct Door {
    at: Ipv6Addr,
    is_open: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Door {
    fn open(at: Ipv6Addr, enter: impl Fn(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind((at, 443)).unwrap();
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

impl Drop for Door {
    fn drop(&mut self) {
        self.is_open.store(false, Ordering::Relaxed);
        // It waits for somebody.
        drop(TcpStream::connect((self.at, 443)));
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || ended.is_some_and(|ended| ended.is_ok()));
    }
}

/// Passes a connection on, with the delay of a network: `uclient-fetch` of
/// February 2026 fails if the answer to its greeting is there at once.
fn pass_on(client: TcpStream) {
    // There is none when the door is shut.
    let Ok(server) = TcpStream::connect((Ipv6Addr::LOCALHOST, BEHIND)) else {
        return;
    };
    let ends = [
        (client.try_clone().unwrap(), server.try_clone().unwrap()),
        (server, client),
    ];
    for (mut from, mut to) in ends {
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}

fn bind(from: &Path, to: &str) {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
}
