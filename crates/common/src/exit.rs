//! The exit codes of all tools but `health-check`, which uses only 0 and 1.

/// How a tool ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, nothing to do, or the answer is yes.
    Done,
    /// 1: it ran, and the answer is no.
    No,
    /// 2: it could not do its work: usage, configuration, credentials, permission, network.
    CouldNot,
    /// 3: a deadline passed.
    Deadline,
    /// 4: partly done.
    Partly,
    /// Another program's exit code, passed on: a command that was run in a container.
    Other(u8),
}

impl Exit {
    /// The number the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::CouldNot => 2,
            Exit::Deadline => 3,
            Exit::Partly => 4,
            Exit::Other(code) => code,
        }
    }
}
