//! The options that several tools share, and the parsing of command lines.

use crate::console::Console;
use crate::error::ErrorKind;
use crate::exit::Exit;
use crate::output::{Format, OutputArgs};
use crate::report::{ErrorReport, Outcome, Report};
use clap::error::ErrorKind as ClapError;
use clap::{Args, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// The version with the git commit that the tools were built from, as `--version` prints it.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("OPS_COMMIT"), ")");

/// `--config`.
#[derive(Args, Clone, Debug, Default)]
pub struct ConfigArgs {
    /// Configuration file [default: $OPS_CONFIG, or the nearest ops.toml upwards]
    #[arg(long, value_name = "FILE", help_heading = "Where")]
    pub config: Option<PathBuf>,
}

/// `--region`, `--profile`. Clap reads no `AWS_*` variable: the SDK does.
#[derive(Args, Clone, Debug, Default)]
pub struct AwsArgs {
    /// AWS region [default: $AWS_REGION, $AWS_DEFAULT_REGION, the profile's]
    #[arg(long, value_name = "REGION", help_heading = "Where")]
    pub region: Option<String>,
    /// Profile of the AWS configuration files [default: $AWS_PROFILE]
    #[arg(long, value_name = "PROFILE", help_heading = "Where")]
    pub profile: Option<String>,
}

/// The options of every tool that reads `ops.toml` and calls AWS: [`ConfigArgs`], [`AwsArgs`], [`OutputArgs`].
#[derive(Args, Clone, Debug, Default)]
pub struct CommonArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    #[command(flatten)]
    pub aws: AwsArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `--dry-run`, `--check`.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct PlanArgs {
    /// Print the plan and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Like --dry-run, and exit 1 when something would change
    #[arg(long)]
    pub check: bool,
}

impl PlanArgs {
    /// Whether the tool only plans.
    pub fn plan_only(self) -> bool {
        self.dry_run || self.check
    }
}

/// `--yes`, for the tools that can delete something.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct ConfirmArgs {
    /// Go ahead with what deletes, without asking
    #[arg(long)]
    pub yes: bool,
}

/// Reads the command line of `tool`.
///
/// # Errors
/// The exit code: 0 after `--help` and `--version`, otherwise 2. The usage error is printed by then, with `-o json` also
/// as a document on stdout.
pub fn parse<A: CommandFactory + FromArgMatches>(tool: &'static str) -> Result<A, ExitCode> {
    parse_from(tool, std::env::args_os(), Exit::Error)
}

/// [`parse`] with another exit code for a wrong command line.
///
/// # Errors
/// As [`parse`].
pub fn parse_from<A: CommandFactory + FromArgMatches>(
    tool: &'static str,
    arguments: impl IntoIterator<Item = OsString>,
    usage: Exit,
) -> Result<A, ExitCode> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let command = A::command();
    // One page for `-h` and `--help`: with a long form, clap puts blank lines between the options.
    let about = command
        .get_long_about()
        .or_else(|| command.get_about())
        .cloned()
        .unwrap_or_default();
    let command = command.about(about).long_about(None);
    // The same page on every terminal and in a pipe.
    let command = command.name(tool).bin_name(tool).version(VERSION).term_width(80);
    let error = match command
        .try_get_matches_from(&arguments)
        .and_then(|mut matches| A::from_arg_matches_mut(&mut matches))
    {
        Ok(parsed) => return Ok(parsed),
        Err(error) => error,
    };
    let output = OutputArgs {
        output: requested_format(&arguments),
        ..OutputArgs::default()
    };
    let console = Console::new(tool, &output).on_write_error(usage);
    if matches!(error.kind(), ClapError::DisplayHelp | ClapError::DisplayVersion) {
        console.stdout(error.to_string().trim_end());
        return Err(console.end(Exit::Success, false));
    }
    console.stderr(error.to_string().trim_end());
    if output.output == Format::Json {
        let mut report = Report::new(Outcome::Failed);
        report.error = Some(ErrorReport {
            message: in_one_line(&error.to_string()),
            kind: ErrorKind::Usage,
            code: Some("usage".into()),
            hint: Some(format!("{tool} --help")),
        });
        console.stdout(&report.to_json(tool).to_string());
    }
    Err(console.end(usage, true))
}

/// The first paragraph of a clap error, in which names and values are on separate lines, as one line.
fn in_one_line(usage: &str) -> String {
    let mut lines = usage.lines().map(str::trim).take_while(|line| !line.is_empty());
    let first = lines
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ")
        .to_owned();
    let rest: Vec<&str> = lines.collect();
    if rest.is_empty() {
        first
    } else {
        format!("{first} {}", rest.join(", "))
    }
}

/// The value of `--output` in a command line that could not be parsed.
fn requested_format(arguments: &[OsString]) -> Format {
    let words: Vec<&str> = arguments
        .iter()
        .filter_map(|word| word.to_str())
        .take_while(|word| *word != "--")
        .collect();
    let asked = words.iter().enumerate().any(|(at, word)| {
        let value = match word.strip_prefix("--output") {
            Some(value) => Some(value),
            // Among short options in one word it is the last one, because only it has a value: `-qo json`, `-vojson`.
            None => word
                .strip_prefix('-')
                .and_then(|flags| flags.trim_start_matches(['q', 'v']).strip_prefix('o')),
        };
        match value {
            Some("") => words.get(at + 1) == Some(&"json"),
            Some(value) => value.trim_start_matches('=') == "json",
            None => false,
        }
    });
    if asked { Format::Json } else { Format::Text }
}

/// Whether `name` is a valid name of a shell variable (POSIX, "Name").
pub fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_error_keeps_its_names_in_one_line() {
        let command = clap::Command::new("t")
            .arg(clap::Arg::new("A").required(true))
            .arg(clap::Arg::new("B").required(true))
            .arg(clap::Arg::new("form").long("form").value_parser(["text", "json"]))
            .arg(clap::arg!(--quiet).conflicts_with_all(["verbose", "more"]))
            .arg(clap::arg!(--verbose))
            .arg(clap::arg!(--more));
        for (line, expected) in [
            (
                "t",
                "the following required arguments were not provided: <A>, <B>",
            ),
            ("t a", "the following required arguments were not provided: <B>"),
            (
                "t a b --form xml",
                "invalid value 'xml' for '--form <form>' [possible values: text, json]",
            ),
            (
                "t a b --quiet --verbose",
                "the argument '--quiet' cannot be used with '--verbose'",
            ),
            (
                "t a b --quiet --verbose --more",
                "the argument '--quiet' cannot be used with: --verbose, --more",
            ),
            ("t a b --formm", "unexpected argument '--formm' found"),
        ] {
            let error = command.clone().try_get_matches_from(line.split(' ')).unwrap_err();
            assert_eq!(in_one_line(&error.to_string()), expected, "{line}");
        }
    }

    #[test]
    fn finds_the_format_in_a_broken_command_line() {
        let format = |line: &str| requested_format(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(format("t --nonsense -o json"), Format::Json);
        assert_eq!(format("t --output=json --nonsense"), Format::Json);
        for line in [
            "-ojson",
            "-o=json",
            "-qo json",
            "-vojson",
            "-vo=json",
            "-qvo json",
        ] {
            assert_eq!(format(&format!("t {line} --nonsense")), Format::Json, "{line}");
        }
        for line in [
            "--output text",
            "-qo text",
            "-vjson",
            "-q json",
            "--o json",
            "json",
            "-o",
        ] {
            assert_eq!(format(&format!("t {line} --nonsense")), Format::Text, "{line}");
        }
        assert_eq!(format("t -- -o json"), Format::Text);
    }

    #[test]
    fn a_url_is_not_a_variable_name() {
        for (name, expected) in [
            ("CONNECTION_URL", true),
            ("_x1", true),
            ("", false),
            ("1X", false),
            ("postgresql://u:p@h/db", false),
            ("A B", false),
            ("$X", false),
        ] {
            assert_eq!(is_variable_name(name), expected, "{name}");
        }
    }
}
