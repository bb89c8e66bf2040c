//! Keys and region of the AWS command line's files, where the environment has none: object_store reads only that.

use std::{collections::BTreeMap, path::PathBuf};

/// What the files say of a profile.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Access key id, secret key, session token.
    pub keys: Option<(String, String, Option<String>)>,
    /// Region.
    pub region: Option<String>,
    /// Endpoint of another server.
    pub endpoint: Option<String>,
}

/// Reads the profile named by `AWS_PROFILE`, or the default one.
///
/// # Errors
/// The profile gets its keys in a way that is not understood: what to do.
pub fn read() -> Result<Profile, String> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let at = |variable, name: &str| -> Option<PathBuf> {
        set(variable).map(PathBuf::from).or_else(|| Some(PathBuf::from(set("HOME")?).join(".aws").join(name)))
    };
    let text = |path: Option<PathBuf>| path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let name = set("AWS_PROFILE").map_or_else(|| "default".into(), |name| name.to_string_lossy().into_owned());
    let credentials = text(at("AWS_SHARED_CREDENTIALS_FILE", "credentials"));
    let config = text(at("AWS_CONFIG_FILE", "config"));
    of(&name, &credentials, &config, set("AWS_PROFILE").is_some())
}

fn of(name: &str, credentials: &str, config: &str, named: bool) -> Result<Profile, String> {
    let mut values = section(config, &[format!("profile {name}"), name.to_owned()]);
    values.extend(section(credentials, &[name.to_owned()]));
    let value = |name: &str| values.get(name).cloned();
    let keys = value("aws_access_key_id").zip(value("aws_secret_access_key"));
    let keys = keys.map(|(id, secret)| (id, secret, value("aws_session_token")));
    let elsewhere = ["role_arn", "sso_session", "sso_start_url", "credential_process"];
    let elsewhere = elsewhere.into_iter().find(|name| values.contains_key(*name));
    if keys.is_none() && (elsewhere.is_some() || named) {
        let why = elsewhere.map_or_else(|| "has no keys".to_owned(), |how| format!("gets its keys by {how}"));
        return Err(format!(
            "the AWS profile '{name}' {why}: run `eval \"$(aws configure export-credentials --profile {name} --format env)\"` and try again"
        ));
    }
    Ok(Profile { keys, region: value("region"), endpoint: value("endpoint_url") })
}

/// The values of the sections with these names; those of nested tables are not theirs.
fn section(text: &str, names: &[String]) -> BTreeMap<String, String> {
    let mut within = false;
    let mut values = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])) {
        if let Some(name) = line.trim().strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            within = names.iter().any(|known| known == name.trim());
        } else if within
            && !line.starts_with([' ', '\t'])
            && let Some((name, value)) = line.split_once('=')
        {
            values.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_region_and_what_is_not_understood() {
        let credentials =
            "[default]\naws_access_key_id = A\naws_secret_access_key=b=\n# no\n[other]\naws_access_key_id=C\n";
        let config = "[default]\nregion = eu-west-1\ns3 =\n  region = no\n[profile role]\nrole_arn = arn:x\n";
        let found = of("default", credentials, config, false).unwrap();
        assert_eq!(found.keys, Some(("A".into(), "b=".into(), None)));
        assert_eq!(found.region.as_deref(), Some("eu-west-1"));
        assert!(of("role", credentials, config, true).unwrap_err().contains("role_arn"));
        assert!(of("absent", credentials, config, true).unwrap_err().contains("has no keys"));
        assert_eq!(of("absent", "", "", false).unwrap(), Profile::default());
    }
}
