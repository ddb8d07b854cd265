//! The memory of this process, and what there is of it.

use std::fs;
use std::path::Path;

/// Bytes that this process holds and that no file backs; `None` where the system does not tell.
pub(crate) fn used() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    kilobytes(&status, "RssAnon:")
}

/// Bytes that this machine can still give.
pub(crate) fn available() -> Option<u64> {
    kilobytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")
}

/// Bytes that this process may have at all: those of the machine, or fewer where it runs in a control group with a limit.
pub(crate) fn total() -> Option<u64> {
    let machine = kilobytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")?;
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    Some(of_groups(&groups, Path::new("/sys/fs/cgroup")).map_or(machine, |limit| limit.min(machine)))
}

/// `RssAnon:     1234 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The least limit of the control groups of a process and of those that they lie in, of version 2 and 1.
fn of_groups(groups: &str, root: &Path) -> Option<u64> {
    let mut least: Option<u64> = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let (root, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            c if c.split(',').any(|c| c == "memory") => (root.join("memory"), "memory.limit_in_bytes"),
            _ => continue,
        };
        // In a container the path may be one of the host's; the root is then the group itself.
        for folder in Path::new(path.trim_start_matches('/')).ancestors() {
            let limit = fs::read_to_string(root.join(folder).join(file)).ok();
            let limit = limit.and_then(|text| text.trim().parse::<u64>().ok());
            least = least.into_iter().chain(limit).min();
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_system_are_read() {
        let text = "VmRSS:\t  20 kB\nRssAnon:\t    1234 kB\nRssFile:\t 5 kB\n";
        assert_eq!(kilobytes(text, "RssAnon:"), Some(1234 * 1024));
        assert_eq!(kilobytes(text, "RssShmem:"), None);
    }

    #[test]
    fn the_least_limit_of_the_groups_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("a/memory.max", "1000\n");
        write("a/b/memory.max", "max\n");
        write("memory/x/memory.limit_in_bytes", "700\n");
        assert_eq!(of_groups("0::/a/b\n", root.path()), Some(1000));
        assert_eq!(of_groups("4:cpu,cpuacct:/x\n3:memory:/x\n0::/a\n", root.path()), Some(700));
        assert_eq!(of_groups("0::/elsewhere\n", root.path()), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_taken_is_seen() {
        let before = used().unwrap();
        let much: Vec<u8> = (0..64 << 20).map(|i| i as u8).collect();
        let with = used().unwrap();
        assert!(with > before + (32 << 20), "{before} then {with}");
        assert!(with < total().unwrap() && available().unwrap() > 0, "{}", much[7]);
    }
}
