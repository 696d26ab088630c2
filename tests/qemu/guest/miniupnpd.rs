// SPDX-License-Identifier: GPL-2.0-or-later
//! Debian's miniupnpd on the CE, configured as OpenWrt's init script does, and
//! programs in the LAN that ask it for ports.

use super::netns::Netns;
use super::topology::{GATEWAY, TUNNEL};
use crate::Result;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream, UdpSocket};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// Where it answers UPnP.
const PORT: u16 = 5000;
/// Where it answers NAT-PMP and PCP.
const PMP: u16 = 5351;
const CONFIG: &str = "/run/miniupnpd.conf";
const LEASES: &str = "/run/miniupnpd.leases";
const LOG: &str = "/run/miniupnpd.log";
const PATIENCE: Duration = Duration::from_secs(20);

/// Its chains in firewall4's table, which firewall4 makes if it is installed.
pub const CHAINS: [&str; 3] = ["upnp_forward", "upnp_prerouting", "upnp_postrouting"];

/// The running daemon; dropping it ends it.
pub struct Miniupnpd {
    child: Child,
}

impl Miniupnpd {
    /// Starts it with these permissions, one a line, and waits until it answers.
    pub fn start(ce: &Netns, host: &Netns, permissions: &str) -> Result<Self> {
        let [forward, prerouting, postrouting] = CHAINS;
        let config = format!(
            "ext_ifname={TUNNEL}\nlistening_ip=br-lan\nport={PORT}\nenable_natpmp=yes\n\
             enable_upnp=yes\nsecure_mode=yes\nsystem_uptime=yes\nlease_file={LEASES}\n\
             upnp_table_name=fw4\nupnp_nat_table_name=fw4\nupnp_forward_chain={forward}\n\
             upnp_nat_chain={prerouting}\nupnp_nat_postrouting_chain={postrouting}\n\
             uuid=00000000-0000-0000-0000-000000000001\n{permissions}"
        );
        fs::write(CONFIG, config).map_err(|e| format!("{CONFIG}: {e}"))?;
        let log = fs::File::create(LOG).map_err(|e| format!("{LOG}: {e}"))?;
        let child = ce
            .command("miniupnpd")
            .args(["-d", "-f", CONFIG])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|e| format!("miniupnpd: {e}"))?;
        let daemon = Self { child };
        let started = Instant::now();
        while host.within(connect).is_err() {
            if started.elapsed() > PATIENCE {
                return Err(format!("miniupnpd does not answer: {}", Self::log()));
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(daemon)
    }

    /// The end of what it said.
    pub fn log() -> String {
        let log = fs::read_to_string(LOG).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(12).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("; ")
    }
}

impl Drop for Miniupnpd {
    fn drop(&mut self) {
        // `ip netns exec` has become it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connect() -> Result<TcpStream> {
    let to = SocketAddrV4::new(GATEWAY, PORT).into();
    TcpStream::connect_timeout(&to, Duration::from_secs(2)).map_err(|e| e.to_string())
}

/// What a program asks for by UPnP: its own address and port, and the port
/// outside.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    pub host: Ipv4Addr,
    pub inside: u16,
    pub outside: u16,
    pub protocol: &'static str,
}

/// `AddPortMapping`: that port or none. The error is UPnP's number.
pub fn add(host: &Netns, wish: Wish) -> Result<std::result::Result<(), u16>> {
    let answer = ask(host, "AddPortMapping", wish)?;
    match tag(&answer, "errorCode") {
        None if answer.contains("AddPortMappingResponse") => Ok(Ok(())),
        None => Err(format!("UPnP answered {answer}")),
        Some(code) => code.parse().map(Err).map_err(|_| answer.clone()),
    }
}

/// `AddAnyPortMapping`: that port or another, which is returned.
pub fn add_any(host: &Netns, wish: Wish) -> Result<u16> {
    let answer = ask(host, "AddAnyPortMapping", wish)?;
    let port = tag(&answer, "NewReservedPort").and_then(|port| port.parse().ok());
    port.ok_or_else(|| format!("UPnP answered {answer}"))
}

fn ask(host: &Netns, action: &str, wish: Wish) -> Result<String> {
    let service = "urn:schemas-upnp-org:service:WANIPConnection:2";
    let body = format!(
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">\
         <s:Body><u:{action} xmlns:u=\"{service}\"><NewRemoteHost></NewRemoteHost>\
         <NewExternalPort>{}</NewExternalPort><NewProtocol>{}</NewProtocol>\
         <NewInternalPort>{}</NewInternalPort><NewInternalClient>{}</NewInternalClient>\
         <NewEnabled>1</NewEnabled><NewPortMappingDescription>game</NewPortMappingDescription>\
         <NewLeaseDuration>3600</NewLeaseDuration></u:{action}></s:Body></s:Envelope>",
        wish.outside, wish.protocol, wish.inside, wish.host
    );
    let request = format!(
        "POST /ctl/IPConn HTTP/1.1\r\nHost: {GATEWAY}:{PORT}\r\nContent-Type: text/xml\r\n\
         SOAPAction: \"{service}#{action}\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    host.within(|| {
        let failed = |e: std::io::Error| format!("{action}: {e}");
        let mut stream = connect()?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        stream.write_all(request.as_bytes()).map_err(failed)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(failed)?;
        Ok(answer)
    })
}

fn tag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once('<').map(|(value, _)| value)
}

/// A NAT-PMP mapping of a UDP port (RFC 6886 section 3.3), asked for until it
/// is granted; the port outside.
pub fn nat_pmp(host: &Netns, inside: u16, outside: u16) -> Result<u16> {
    let mut request = vec![0, 1, 0, 0];
    request.extend(inside.to_be_bytes());
    request.extend(outside.to_be_bytes());
    request.extend(3600u32.to_be_bytes());
    host.within(|| {
        let failed = |e: std::io::Error| format!("NAT-PMP: {e}");
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).map_err(failed)?;
        socket
            .set_read_timeout(Some(Duration::from_secs(2)))
            .map_err(failed)?;
        let started = Instant::now();
        let mut answer = [0; 16];
        while started.elapsed() < PATIENCE {
            socket.send_to(&request, (GATEWAY, PMP)).map_err(failed)?;
            if let Ok((16, _)) = socket.recv_from(&mut answer) {
                let [_, kind, code0, code1, _, _, _, _, _, _, high, low, ..] = answer;
                let code = u16::from_be_bytes([code0, code1]);
                return match (kind, code) {
                    (129, 0) => Ok(u16::from_be_bytes([high, low])),
                    _ => Err(format!("NAT-PMP answered {kind}, result {code}")),
                };
            }
        }
        Err("NAT-PMP: no answer".to_owned())
    })
}
