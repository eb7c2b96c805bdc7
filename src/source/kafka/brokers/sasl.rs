//! Who warroom is to a broker: SASL PLAIN and SCRAM (RFC 5802, RFC 7677). The password is read when it is
//! needed and shown nowhere.

use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};

use super::connection::Connection;
use crate::config::{KafkaSasl, Mechanism, Secret};
use crate::net::failure::Failure;

/// A server that asks for more rounds wants to keep us busy, one that asks for fewer (RFC 7677) wants to
/// guess the password.
const ROUNDS: std::ops::RangeInclusive<u32> = 4_096..=1_000_000;

/// Says who warroom is, and for SCRAM makes sure that the broker knows the password, too.
pub(super) async fn authenticate(connection: &mut Connection, sasl: &KafkaSasl) -> Result<(), Failure> {
    let password = secret(&sasl.password)?;
    let mechanism = mechanism(sasl.mechanism);
    let offered = connection
        .ask(&SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism)))
        .await?;
    if offered.error_code != 0 {
        let known = offered.mechanisms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let name = &connection.name;
        let known =
            if known.is_empty() { "no SASL at all on this port".to_owned() } else { format!("only {known}") };
        return Err(Failure::Unauthenticated(format!(
            "{name} does not take SASL {mechanism}, {known}; see [kafka.sasl]"
        )));
    }
    match sasl.mechanism {
        Mechanism::Plain => said(connection, sasl, format!("\0{}\0{password}", sasl.user)).await.map(drop),
        Mechanism::ScramSha256 => scram(connection, sasl, &password, &SHA256).await,
        Mechanism::ScramSha512 => scram(connection, sasl, &password, &SHA512).await,
    }
}

/// The name on the wire.
fn mechanism(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::Plain => "PLAIN",
        Mechanism::ScramSha256 => "SCRAM-SHA-256",
        Mechanism::ScramSha512 => "SCRAM-SHA-512",
    }
}

fn secret(password: &Secret) -> Result<String, Failure> {
    let missing = |what: String| Failure::Unauthenticated(format!("no password for Kafka: {what}"));
    match password {
        Secret::Env(name) => {
            std::env::var(name).map_err(|_| missing(format!("the environment has no {name}")))
        }
        Secret::File(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| missing(format!("{}: {error}", path.display())))?;
            Ok(text.lines().next().unwrap_or_default().to_owned())
        }
    }
}

/// One message, and what the broker says to it.
async fn said(connection: &mut Connection, sasl: &KafkaSasl, message: String) -> Result<String, Failure> {
    let answer = connection
        .ask(&SaslAuthenticateRequest::default().with_auth_bytes(message.into_bytes().into()))
        .await?;
    if answer.error_code != 0 {
        let why = answer.error_message.map(|why| format!(": {why}")).unwrap_or_default();
        return Err(Failure::Unauthenticated(format!(
            "{} does not accept user {}{why}; see [kafka.sasl]",
            connection.name, sasl.user
        )));
    }
    Ok(String::from_utf8_lossy(&answer.auth_bytes).into_owned())
}

struct Hash {
    digest: &'static digest::Algorithm,
    hmac: &'static hmac::Algorithm,
    derive: &'static pbkdf2::Algorithm,
}

static SHA256: Hash =
    Hash { digest: &digest::SHA256, hmac: &hmac::HMAC_SHA256, derive: &pbkdf2::PBKDF2_HMAC_SHA256 };
static SHA512: Hash =
    Hash { digest: &digest::SHA512, hmac: &hmac::HMAC_SHA512, derive: &pbkdf2::PBKDF2_HMAC_SHA512 };

async fn scram(
    connection: &mut Connection,
    sasl: &KafkaSasl,
    password: &str,
    hash: &Hash,
) -> Result<(), Failure> {
    let mut random = [0; 24];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| Failure::Lost("this machine has no random numbers for SASL".into()))?;
    let first = First::new(&sasl.user, &BASE64.encode(random));
    let challenge = said(connection, sasl, format!("n,,{}", first.bare)).await?;
    let strange =
        || Failure::Unauthenticated(format!("{} does not follow SCRAM: is it Kafka?", connection.name));
    let (last, proof) = first.answer(&challenge, password, hash).ok_or_else(strange)?;
    let verdict = said(connection, sasl, last).await?;
    if verdict.strip_prefix("v=").is_some_and(|signature| signature == proof) {
        return Ok(());
    }
    Err(Failure::Unauthenticated(format!(
        "{} does not know the password of user {} itself: is it Kafka?",
        connection.name, sasl.user
    )))
}

/// What the client says first.
struct First {
    nonce: String,
    bare: String,
}

impl First {
    fn new(user: &str, nonce: &str) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        Self { nonce: nonce.to_owned(), bare: format!("n={user},r={nonce}") }
    }

    /// The client's last message, and the signature that the server must know; nothing where the challenge is
    /// none.
    fn answer(&self, challenge: &str, password: &str, hash: &Hash) -> Option<(String, String)> {
        let field = |name: &str| challenge.split(',').find_map(|part| part.strip_prefix(name));
        let nonce =
            field("r=").filter(|nonce| nonce.len() > self.nonce.len() && nonce.starts_with(&self.nonce))?;
        let salt = BASE64.decode(field("s=")?).ok()?;
        let rounds =
            field("i=")?.parse().ok().filter(|rounds| ROUNDS.contains(rounds)).and_then(NonZeroU32::new)?;
        let mut salted = vec![0; hash.digest.output_len()];
        pbkdf2::derive(*hash.derive, rounds, &salt, password.as_bytes(), &mut salted);
        let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(*hash.hmac, key), text);
        let last = format!("c=biws,r={nonce}"); // "n,,"
        let whole = format!("{},{challenge},{last}", self.bare);
        let client = sign(&salted, b"Client Key");
        let signature = sign(digest::digest(hash.digest, client.as_ref()).as_ref(), whole.as_bytes());
        let proof: Vec<u8> =
            client.as_ref().iter().zip(signature.as_ref()).map(|(key, sign)| key ^ sign).collect();
        let server = sign(sign(&salted, b"Server Key").as_ref(), whole.as_bytes());
        Some((format!("{last},p={}", BASE64.encode(proof)), BASE64.encode(server)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, section 3.
    #[test]
    fn the_example_of_the_standard() {
        let first = First::new("user", "rOprNGfwEbeRWgbNEkqO");
        let challenge =
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let (last, server) = first.answer(challenge, "pencil", &SHA256).unwrap();
        assert_eq!(
            last,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert_eq!(server, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn a_challenge_that_is_none_is_not_answered() {
        let first = First::new("me,=you", "abc");
        assert_eq!(first.bare, "n=me=2C=3Dyou,r=abc");
        for challenge in [
            "",
            "r=abc,s=W22Z,i=4096",
            "r=xyzabc,s=W22Z,i=4096",
            "r=abcd,s=W22Z,i=1",
            "r=abcd,s=?,i=4096",
            "r=abcd,s=W22Z",
        ] {
            assert!(first.answer(challenge, "pencil", &SHA512).is_none(), "{challenge}");
        }
    }
}
