//! The sizes of a Fargate task, and how they are written.

/// The sizes of Fargate: CPU units, the memory from and to, and the step, in MiB (Amazon ECS developer
/// guide, "Task CPU and memory").
const PAIRS: [(u64, u64, u64, u64); 6] = [
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16_384, 1024),
    (4096, 8192, 30_720, 1024),
    (8192, 16_384, 61_440, 4096),
    (16_384, 32_768, 122_880, 8192),
];

/// The smallest size has a list of its own.
const SMALLEST: (u64, [u64; 3]) = (256, [512, 1024, 2048]);

/// CPU units: `256`, or `0.25 vCPU`.
pub fn cpu_units(text: &str) -> Option<u64> {
    measure(text, "vcpu")
}

/// MiB: `512`, or `0.5 GB`.
pub fn mebibytes(text: &str) -> Option<u64> {
    measure(text, "gb")
}

/// A whole number, or a number of `unit`, of which each is 1024.
fn measure(text: &str, unit: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let Some(number) = text.strip_suffix(unit) else {
        return text
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse().ok())
            .flatten();
    };
    let number = number.trim_end();
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let numbers =
        plain && !fraction.is_empty() && fraction.len() <= 6 && !(whole.is_empty() && fraction == "0");
    if !numbers {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let parts = whole
        .checked_mul(scale)?
        .checked_add(fraction.parse().ok()?)?
        .checked_mul(1024)?;
    (parts % scale == 0).then_some(parts / scale)
}

/// What is wrong with this CPU on Fargate.
pub(super) fn cpu_error(cpu: u64) -> Option<String> {
    let (smallest, _) = SMALLEST;
    let sizes = std::iter::once(smallest).chain(PAIRS.iter().map(|(units, ..)| *units));
    let sizes: Vec<u64> = sizes.collect();
    (!sizes.contains(&cpu)).then(|| {
        let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
        format!("Fargate has no {cpu} CPU units, only {}", sizes.join(", "))
    })
}

/// What is wrong with this memory for a CPU size that Fargate has.
pub(super) fn memory_error(cpu: u64, memory: u64) -> Option<String> {
    let (smallest, memories) = SMALLEST;
    let only = if cpu == smallest {
        let list = memories.map(|memory| memory.to_string());
        (!memories.contains(&memory)).then(|| list.join(", "))
    } else {
        let (_, least, most, step) = PAIRS.iter().find(|(units, ..)| *units == cpu)?;
        let fits = (*least..=*most).contains(&memory) && memory.is_multiple_of(*step);
        (!fits).then(|| format!("{least} to {most} in steps of {step}"))
    };
    only.map(|only| format!("Fargate has no {memory} MiB with {cpu} CPU units, only {only}"))
}
