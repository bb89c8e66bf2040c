//! `config show`: the settings in force and where each came from.

use std::collections::BTreeMap;

use crate::{
    cli::{ConfigArgs, ConfigCommand},
    settings::{Setting, Settings},
};

/// Prints the settings.
pub fn run(args: &ConfigArgs, settings: &Settings) -> crate::Result<u8> {
    let ConfigCommand::Show { json } = args.command;
    if json {
        println!("{}", serde_json::to_string_pretty(&settings.all().collect::<BTreeMap<_, _>>())?);
    } else {
        for (name, Setting { value, origin }) in settings.all() {
            println!("{name:33} {value:20} {origin}");
        }
    }
    Ok(0)
}
