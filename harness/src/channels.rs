//! Ways to tell people. Secrets come from the environment variables that the settings name, and are in no message.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use base::{
    error::{Class, Context, Met},
    exit::Usage,
};
use jiff::Timestamp;
use lettre::{Message, SmtpTransport, Transport, message::Mailbox, transport::smtp::authentication::Credentials};
use serde::{Deserialize, Serialize};

use crate::rules::Severity;

/// How long one channel may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// One way.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Its name in messages; the kind without one.
    #[serde(default)]
    pub name: String,
    /// The least that goes this way.
    #[serde(default)]
    pub severity: Severity,
    /// JSON to this address by POST.
    webhook: Option<Secret>,
    /// Variable with a token for the webhook's header `Authorization: Bearer`.
    token_env: Option<String>,
    /// A mail.
    email: Option<Email>,
    /// A program, which gets JSON on its stdin.
    command: Option<Vec<String>>,
    /// A file, to which a line of JSON is appended.
    file: Option<PathBuf>,
}

/// A text, or the name of the variable that holds it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Secret {
    Text(String),
    Variable { env: String },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Email {
    server: String,
    port: Option<u16>,
    #[serde(default)]
    tls: Tls,
    from: String,
    to: Vec<String>,
    user_env: Option<String>,
    password_env: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Tls {
    /// From the first byte on, port 465.
    #[default]
    #[serde(rename = "tls")]
    Implicit,
    /// After a greeting, port 587.
    Starttls,
    /// For a relay on this machine.
    None,
}

/// What is told.
#[derive(Clone, Debug, Serialize)]
pub struct News {
    /// The store it is about.
    pub store: String,
    /// When.
    pub at: Timestamp,
    /// All of it as text.
    pub text: String,
    /// One by one.
    pub alerts: Vec<Item>,
}

/// One incident that began, got worse, or is over.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// `firing`, `recovered` or `test`.
    pub state: &'static str,
    /// How bad it is, or was.
    pub severity: Severity,
    /// The rule.
    pub rule: String,
    /// The month, run or disk.
    pub subject: String,
    /// The value.
    pub value: f64,
    /// It as a sentence.
    pub text: String,
    /// Since when.
    pub since: Timestamp,
}

impl News {
    /// News of these.
    pub fn of(store: &str, alerts: Vec<Item>) -> Self {
        let lines: Vec<String> = alerts
            .iter()
            .map(|Item { state, severity, text, .. }| format!("{state} ({}): {text}", severity.text()))
            .collect();
        Self { store: store.to_owned(), at: Timestamp::now(), text: lines.join("\n"), alerts }
    }

    fn subject(&self) -> String {
        match &self.alerts[..] {
            [one] => format!("harness, {}: {}", one.state, one.text),
            all => format!("harness: {} alerts, {}", all.len(), self.store),
        }
    }
}

impl Channel {
    /// Checks what can be checked without telling anybody, and gives it a name.
    pub fn check(mut self, number: usize) -> Result<Self, Usage> {
        let kinds = [
            ("webhook", self.webhook.is_some()),
            ("email", self.email.is_some()),
            ("command", self.command.is_some()),
            ("file", self.file.is_some()),
        ];
        let given: Vec<&str> = kinds.into_iter().filter(|(_, given)| *given).map(|(kind, _)| kind).collect();
        let [kind] = given[..] else {
            return Err(Usage(format!(
                "alerts.channels, the {}. one: expected one of webhook, email, command and file, found {}",
                number + 1,
                if given.is_empty() { "none".into() } else { given.join(" and ") }
            )));
        };
        if self.name.is_empty() {
            self.name = kind.to_owned();
        }
        let wrong = |what: &str| Err(Usage(format!("alerts.channels, {}: {what}", self.name)));
        if self.command.as_ref().is_some_and(Vec::is_empty) {
            return wrong("command = []: expected a program and its arguments");
        }
        if let Some(email) = &self.email {
            if email.to.is_empty() {
                return wrong("to = []: expected an address");
            }
            if let Some(bad) = email.to.iter().chain([&email.from]).find(|text| text.parse::<Mailbox>().is_err()) {
                return wrong(&format!("'{bad}': expected an address such as name@example.org"));
            }
            if email.tls == Tls::None && email.password_env.is_some() {
                return wrong("passwords are not sent without TLS: set tls to tls or starttls");
            }
            if email.user_env.is_some() != email.password_env.is_some() {
                return wrong("user_env and password_env: expected both or none");
            }
        }
        Ok(self)
    }

    /// Tells.
    pub fn tell(&self, news: &News) -> crate::Result<()> {
        let json = serde_json::to_string(news)?;
        if let Some(address) = &self.webhook {
            return post(&address.text()?, self.token_env.as_deref().map(variable).transpose()?, json);
        }
        if let Some(email) = &self.email {
            return email.send(news);
        }
        if let Some(command) = &self.command {
            return execute(command, &json);
        }
        let Some(path) = &self.file else { return Ok(()) };
        let failed = || format!("{}: cannot be written", path.display());
        let mut file = std::fs::File::options().append(true).create(true).open(path).with_context(failed)?;
        file.write_all(format!("{json}\n").as_bytes()).with_context(failed)
    }
}

impl Secret {
    fn text(&self) -> crate::Result<String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Variable { env } => variable(env),
        }
    }
}

fn variable(name: &str) -> crate::Result<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    value.ok_or_else(|| Usage(format!("the environment variable {name} is not set")).into())
}

fn post(address: &str, token: Option<String>, json: String) -> crate::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // An address may be a secret itself, so errors do not repeat it.
    let posted: reqwest::Result<reqwest::StatusCode> = runtime.block_on(async {
        let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build()?;
        let request = client.post(address).header("content-type", "application/json").body(json);
        let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        Ok(request.send().await?.status())
    });
    let status = posted.map_err(reqwest::Error::without_url).met_as(Class::Store)?;
    if status.is_success() { Ok(()) } else { Err(dead(format!("the webhook answered {status}"))) }
}

/// A channel that did not take what it was told.
fn dead(said: String) -> crate::Error {
    crate::Error::new(Class::Store, said)
}

fn execute(command: &[String], json: &str) -> crate::Result<()> {
    let (program, arguments) = command.split_first().ok_or_else(|| Usage("no program".into()))?;
    let failed = || format!("{program}: cannot be run");
    let began = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .with_context(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program need not read it, and then must not keep us.
        let json = json.to_owned();
        std::thread::spawn(move || stdin.write_all(json.as_bytes()));
    }
    loop {
        match child.try_wait().with_context(failed)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(dead(format!("{program}: {status}"))),
            None if began.elapsed() > TIMEOUT => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(dead(format!("{program}: stopped after {} seconds", TIMEOUT.as_secs())));
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

impl Email {
    fn send(&self, news: &News) -> crate::Result<()> {
        let mut message = Message::builder().from(self.from.parse().met_as(Class::Usage)?).subject(news.subject());
        for to in &self.to {
            message = message.to(to.parse().met_as(Class::Usage)?);
        }
        let message =
            message.body(format!("{}\n\nStore {}, {}\n", news.text, news.store, news.at)).met_as(Class::Program)?;
        let mut transport = match self.tls {
            Tls::Implicit => SmtpTransport::relay(&self.server).met_as(Class::Store)?,
            Tls::Starttls => SmtpTransport::starttls_relay(&self.server).met_as(Class::Store)?,
            Tls::None => SmtpTransport::builder_dangerous(&self.server),
        };
        if let Some(port) = self.port {
            transport = transport.port(port);
        }
        if let (Some(user), Some(password)) = (&self.user_env, &self.password_env) {
            transport = transport.credentials(Credentials::new(variable(user)?, variable(password)?));
        }
        transport.timeout(Some(TIMEOUT)).build().send(&message).met_as(Class::Store)?;
        Ok(())
    }
}
