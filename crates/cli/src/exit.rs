//! The exit codes of every tool but `health-check`, which uses only 0 and 1.

/// The exit code of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, nothing to do, or the answer is yes.
    Success,
    /// 1: the tool ran, and the answer is no.
    Negative,
    /// 2: the tool could not do its work: usage, configuration, credentials, permission, network.
    Error,
    /// 3: a deadline passed.
    Deadline,
    /// 4: some items were applied and others were not.
    Partial,
    /// The exit code of another program: a command that ran in a container.
    Child(u8),
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Negative => 1,
            Exit::Error => 2,
            Exit::Deadline => 3,
            Exit::Partial => 4,
            Exit::Child(code) => code,
        }
    }
}
