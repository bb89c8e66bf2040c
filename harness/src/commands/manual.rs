//! `completions` and `man`: what shells and readers are told of the command line, from its own definitions.

use std::path::Path;

use base::error::{Class, Context, Met};

use crate::{
    cli::{self, CompletionsArgs, ManArgs},
    output,
};

/// Prints the completions of a shell.
pub fn completions(args: &CompletionsArgs) -> crate::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "harness", &mut script);
    output::text(&String::from_utf8(script).met_as(Class::Program)?);
    Ok(0)
}

/// Prints the manual, or writes a page for every command.
pub fn man(args: &ManArgs) -> crate::Result<u8> {
    match &args.out {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command()).render(&mut page)?;
            output::text(&String::from_utf8(page).met_as(Class::Program)?);
        }
        Some(folder) => {
            let failed = || format!("{}: the pages cannot be written", folder.display());
            std::fs::create_dir_all(folder).with_context(failed)?;
            let pages = write(&command(), "harness", folder).with_context(failed)?;
            println!("{pages} pages -> {}", folder.display());
        }
    }
    Ok(0)
}

/// The commands by their own names.
fn command() -> clap::Command {
    let mut command = cli::command().disable_help_subcommand(true);
    command.build();
    command
}

/// Writes the page of a command and those of its own.
fn write(command: &clap::Command, name: &str, folder: &Path) -> std::io::Result<usize> {
    let mut page = Vec::new();
    // Clap takes names for as long as the program; there are a few dozen.
    let title: &'static str = Box::leak(name.to_owned().into_boxed_str());
    clap_mangen::Man::new(command.clone().name(title).bin_name(name.replace('-', " "))).render(&mut page)?;
    std::fs::write(folder.join(format!("{name}.1")), page)?;
    let mut pages = 1;
    for below in command.get_subcommands() {
        pages += write(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(pages)
}
