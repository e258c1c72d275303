//! The options for the output: `--output`, `--quiet`, `--verbose`.

use clap::{Args, ValueEnum};

/// The form of the result on stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // Not doc comments: clap would show them as help, and space out the whole page for it.
    // Lines of text.
    #[default]
    Text,
    // One JSON document, on failure too.
    Json,
}

/// `--output`, `--quiet`, `--verbose`.
#[derive(Args, Clone, Debug, Default)]
pub struct OutputArgs {
    /// Form of the result on stdout
    #[arg(
        short,
        long,
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        help_heading = "Output"
    )]
    pub output: Format,
    /// No progress on stderr; errors and warnings stay
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
    /// More detail on stderr; never a secret
    #[arg(short, long, help_heading = "Output", conflicts_with = "quiet")]
    pub verbose: bool,
}
