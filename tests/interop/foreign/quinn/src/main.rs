//! A client of quicchat by quinn, from include/quicchat/PROTOCOL.md: handshake, login, close codes.
//!
//!     interop-quinn PORT USER PASSWORD

use std::{error::Error, num::NonZeroU32, sync::Arc, time::Duration};

use base64::{engine::general_purpose::STANDARD, Engine};
use quinn::{
    crypto::rustls::QuicClientConfig, ClientConfig, Connection, ConnectionError, Endpoint,
};
use ring::{digest, hmac, pbkdf2, rand, rand::SecureRandom};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const PATIENCE: Duration = Duration::from_secs(10);
const GS2_HEADER: &str = "p=tls-exporter,,";
const PASSWORD_MECHANISM: &str = "SCRAM-SHA-256-PLUS";
const HELLO: u64 = 0x02;
const WELCOME: u64 = 0x04;
const LOGIN_BEGIN: u64 = 0x06;
const LOGIN_CHALLENGE: u64 = 0x08;
const LOGIN_RESPONSE: u64 = 0x0a;
const LOGIN_DONE: u64 = 0x0c;

/// Who the server is is not what this is about.
#[derive(Debug)]
struct Anybody(Arc<rustls::crypto::CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        unreachable!("QUIC has TLS 1.3")
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

async fn dial(port: u16, protocol: &str) -> Outcome<(Endpoint, Connection)> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut security = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    security.alpn_protocols = vec![protocol.into()];
    let mut endpoint = Endpoint::client("127.0.0.1:0".parse()?)?;
    endpoint.set_default_client_config(ClientConfig::new(Arc::new(QuicClientConfig::try_from(
        security,
    )?)));
    let dialled = endpoint.connect(([127, 0, 0, 1], port).into(), "localhost")?;
    let connection = tokio::time::timeout(PATIENCE, dialled).await??;
    Ok((endpoint, connection))
}

fn varint(value: u64) -> Vec<u8> {
    match value {
        0..=0x3f => vec![value as u8],
        0x40..=0x3fff => (value as u16 | 0x4000).to_be_bytes().to_vec(),
        _ => (value as u32 | 0x8000_0000).to_be_bytes().to_vec(),
    }
}

fn text(value: &[u8]) -> Vec<u8> {
    [varint(value.len() as u64), value.to_vec()].concat()
}

fn frame(kind: u64, fields: &[Vec<u8>]) -> Vec<u8> {
    [varint(kind), text(&fields.concat())].concat()
}

fn hello(least: u64, most: u64) -> Vec<u8> {
    frame(
        HELLO,
        &[varint(least), varint(most), varint(0), text(b"{}")],
    )
}

fn login_begin(mechanism: &str, data: &str) -> Vec<u8> {
    frame(
        LOGIN_BEGIN,
        &[
            text(mechanism.as_bytes()),
            vec![0; 16],
            text(data.as_bytes()),
        ],
    )
}

async fn read_varint(stream: &mut quinn::RecvStream) -> Outcome<u64> {
    let mut bytes = [0; 8];
    stream.read_exact(&mut bytes[..1]).await?;
    let size = 1 << (bytes[0] >> 6);
    stream.read_exact(&mut bytes[1..size]).await?;
    let first = u64::from(bytes[0] & 0x3f);
    Ok(bytes[1..size]
        .iter()
        .fold(first, |value, byte| value << 8 | u64::from(*byte)))
}

/// Reads a frame and wants it to be of that kind.
async fn next(stream: &mut quinn::RecvStream, kind: u64) -> Outcome<Vec<u8>> {
    let came = read_varint(stream).await?;
    let mut payload = vec![0; read_varint(stream).await? as usize];
    stream.read_exact(&mut payload).await?;
    if came == kind {
        Ok(payload)
    } else {
        Err(format!("frame {came:#04x} instead of {kind:#04x}").into())
    }
}

/// The data or text at the front, and the rest. All that comes in a login is short.
fn field(payload: &[u8]) -> Outcome<(&[u8], &[u8])> {
    let (first, rest) = payload.split_first().ok_or("an empty payload")?;
    let (size, rest) = match first >> 6 {
        0 => (usize::from(*first), rest),
        1 if !rest.is_empty() => (
            usize::from(first & 0x3f) << 8 | usize::from(rest[0]),
            &rest[1..],
        ),
        _ => return Err("a field that is too long".into()),
    };
    rest.split_at_checked(size)
        .ok_or_else(|| "a field that is cut short".into())
}

fn hmac_of(key: &[u8], data: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data)
        .as_ref()
        .to_vec()
}

/// PROTOCOL.md §5.3.
async fn log_in(port: u16, user: &str, password: &str) -> Outcome {
    let (_endpoint, connection) = dial(port, "quicchat/1").await?;
    let mut binding = [0; 32];
    connection
        .export_keying_material(&mut binding, b"EXPORTER-Channel-Binding", b"")
        .map_err(|_| "no exporter")?;
    let (mut to, mut from) = connection.open_bi().await?;
    let mut random = [0; 18];
    rand::SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| "no random bytes")?;
    let nonce = STANDARD.encode(random);
    let bare = format!("n={user},r={nonce}");
    to.write_all(&hello(0, 0)).await?;
    to.write_all(&login_begin(
        PASSWORD_MECHANISM,
        &format!("{GS2_HEADER}{bare}"),
    ))
    .await?;
    next(&mut from, WELCOME).await?;
    let payload = next(&mut from, LOGIN_CHALLENGE).await?;
    let first = std::str::from_utf8(field(&payload)?.0)?;
    let [both, salt, count] = first.split(',').collect::<Vec<_>>()[..] else {
        return Err("the challenge is not one".into());
    };
    if !both.starts_with(&format!("r={nonce}")) {
        return Err("the nonce is another one".into());
    }
    let salt = STANDARD.decode(salt.trim_start_matches("s="))?;
    let count: NonZeroU32 = count.trim_start_matches("i=").parse()?;
    let mut salted = [0; 32];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        count,
        &salt,
        password.as_bytes(),
        &mut salted,
    );
    let channel = STANDARD.encode([GS2_HEADER.as_bytes(), &binding].concat());
    let without_proof = format!("c={channel},{both}");
    let message = format!("{bare},{first},{without_proof}");
    let client_key = hmac_of(&salted, b"Client Key");
    let stored = digest::digest(&digest::SHA256, &client_key);
    let mask = hmac_of(stored.as_ref(), message.as_bytes());
    let proof: Vec<u8> = client_key.iter().zip(mask).map(|(a, b)| a ^ b).collect();
    let answer = format!("{without_proof},p={}", STANDARD.encode(proof));
    to.write_all(&frame(LOGIN_RESPONSE, &[text(answer.as_bytes())]))
        .await?;
    let payload = next(&mut from, LOGIN_DONE).await?;
    let signature = field(field(&payload)?.1)?.0;
    let own = STANDARD.encode(hmac_of(
        &hmac_of(&salted, b"Server Key"),
        message.as_bytes(),
    ));
    if signature != format!("v={own}").as_bytes() {
        return Err("the server's signature is wrong".into());
    }
    connection.close(0u32.into(), b"");
    Ok(())
}

/// Sends this on the control stream and gives how the server closes.
async fn closed(port: u16, data: &[u8]) -> Outcome {
    let (_endpoint, connection) = dial(port, "quicchat/1").await?;
    let (mut to, _from) = connection.open_bi().await?;
    to.write_all(data).await?;
    Err(tokio::time::timeout(PATIENCE, connection.closed())
        .await?
        .into())
}

/// The code of the CONNECTION_CLOSE that is behind an error.
fn code_of(error: &(dyn Error + 'static)) -> Option<u64> {
    match error.downcast_ref::<ConnectionError>() {
        Some(ConnectionError::ApplicationClosed(close)) => Some(close.error_code.into_inner()),
        Some(ConnectionError::ConnectionClosed(close)) => Some(close.error_code.into()),
        _ => error.source().and_then(code_of),
    }
}

fn want_code(want: u64, outcome: Outcome) -> Outcome {
    match outcome {
        Err(error) if code_of(error.as_ref()) == Some(want) => Ok(()),
        other => Err(format!("not closed with {want:#x}: {other:?}").into()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, port, user, password] = &arguments[..] else {
        return Err("usage: interop-quinn PORT USER PASSWORD".into());
    };
    let port = port.parse()?;
    let unknown = [hello(0, 0), login_begin("SCRAM-SHA-256", "n,,n=ada,r=abc")].concat();
    let outcomes = [
        ("login", log_in(port, user, password).await),
        (
            "wrong password",
            want_code(17, log_in(port, user, "wrong").await),
        ),
        (
            "unknown mechanism",
            want_code(17, closed(port, &unknown).await),
        ),
        (
            "unknown version",
            want_code(16, closed(port, &hello(7, 9)).await),
        ),
        (
            "broken frame",
            want_code(1, closed(port, &[HELLO as u8, 1, 0]).await),
        ),
        (
            "frame too large",
            want_code(2, closed(port, &[HELLO as u8, 0x80, 0, 0x10, 1]).await),
        ),
        (
            "another application",
            want_code(0x178, dial(port, "h3").await.map(|_| ())),
        ),
    ];
    let mut failed = 0;
    for (what, outcome) in outcomes {
        match outcome {
            Ok(()) => println!("quinn: {what}: ok"),
            Err(error) => {
                failed += 1;
                println!("quinn: {what}: {error}");
            }
        }
    }
    std::process::exit(failed)
}
