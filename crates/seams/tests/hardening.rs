//! Hardening of the whole process, in a test binary of its own because it cannot be undone.

use seams::process::harden;

/// D18: after hardening the host writes no core file and lets nobody attach.
#[test]
fn d18_a_hardened_process_leaves_no_core_and_cannot_be_read() {
    let failed = harden();
    assert!(failed.is_empty(), "{failed:?}");

    let core = rustix::process::getrlimit(rustix::process::Resource::Core);
    assert_eq!((core.current, core.maximum), (Some(0), Some(0)));
    #[cfg(target_os = "linux")]
    assert_eq!(
        rustix::process::dumpable_behavior().expect("the kernel answers"),
        rustix::process::DumpableBehavior::NotDumpable
    );
}
