//! A mail server on loopback: without TLS, with it from the start, or from STARTTLS on.
#![allow(dead_code)]

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};

/// When TLS begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    Never,
    AtOnce,
    Starttls,
}

/// What it heard in one connection: commands, then the mail.
pub type Heard = String;

/// Starts one for `localhost`, and writes the certificate that its clients must trust.
pub fn start(tls: Tls, certificate: &Path) -> (u16, Receiver<Heard>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(certificate, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("localhost:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            serve(stream.unwrap(), tls, &config, &sender);
        }
    });
    (port, receiver)
}

fn serve(mut stream: TcpStream, tls: Tls, config: &Arc<ServerConfig>, sender: &Sender<Heard>) {
    let over = |stream| StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream);
    // Whoever does not trust the certificate hangs up, which is no error here.
    let _ = match tls {
        Tls::Never => talk(&mut stream, true, "", sender),
        Tls::AtOnce => talk(&mut over(stream), true, "250-AUTH PLAIN\r\n", sender),
        Tls::Starttls => match talk(&mut stream, true, "250-STARTTLS\r\n", sender) {
            Some(true) => talk(&mut over(stream), false, "250-AUTH PLAIN\r\n", sender),
            end => end,
        },
    };
}

/// Whether TLS shall begin; nothing when the client is gone.
fn talk(stream: &mut (impl Read + Write), greet: bool, offers: &str, sender: &Sender<Heard>) -> Option<bool> {
    let say = |stream: &mut dyn Write, text: &str| stream.write_all(text.as_bytes()).ok();
    if greet {
        say(stream, "220 sink\r\n")?;
    }
    let mut heard = Heard::new();
    loop {
        let command = line(stream)?;
        heard += &format!("{command}\n");
        match command.get(..4).unwrap_or_default() {
            "EHLO" => say(stream, &format!("250-sink\r\n{offers}250 8BITMIME\r\n"))?,
            "STAR" => return say(stream, "220 go on\r\n").map(|()| true),
            "AUTH" => say(stream, "235 welcome\r\n")?,
            "DATA" => {
                say(stream, "354 go on\r\n")?;
                loop {
                    match line(stream)? {
                        end if end == "." => break,
                        text => heard += &format!("{text}\n"),
                    }
                }
                say(stream, "250 taken\r\n")?;
                sender.send(heard.clone()).unwrap();
            }
            "QUIT" => return say(stream, "221 bye\r\n").map(|()| false),
            _ => say(stream, "250 yes\r\n")?,
        }
    }
}

/// By bytes: what comes after STARTTLS is not text.
fn line(stream: &mut dyn Read) -> Option<String> {
    let mut line = Vec::new();
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        match byte[0] {
            b'\n' => return Some(String::from_utf8_lossy(&line).trim_end().to_owned()),
            other => line.push(other),
        }
    }
}
