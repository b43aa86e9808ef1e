//! One behaviour for both disks, then what only the simulated one does.

use std::path::PathBuf;

use rustix::io::Errno;

use super::*;

/// Holds the same script against the real disk and the simulated one, so that the simulation cannot drift away.
fn on_both_disks(script: impl Fn(&dyn Disk, &Path)) {
    let real = tempfile::tempdir().unwrap();
    script(&SystemDisk, real.path());

    let simulated = SimulatedDisk::new();
    let dir = PathBuf::from("/data");
    simulated.create_dir_all(&dir).unwrap();
    script(&simulated, &dir);
}

fn write(disk: &dyn Disk, path: &Path, bytes: &[u8]) {
    let mut file = disk.create_new(path).unwrap();
    file.append(bytes).unwrap();
    file.sync().unwrap();
    disk.sync_dir(path.parent().unwrap()).unwrap();
}

fn errno(result: io::Result<()>) -> Option<i32> {
    result.expect_err("the operation fails").raw_os_error()
}

#[test]
fn appended_bytes_are_read_back_whole_and_in_ranges() {
    on_both_disks(|disk, dir| {
        let path = dir.join("log");
        write(disk, &path, b"0123");
        let mut again = disk.open_append(&path).unwrap();
        again.append(b"4567").unwrap();

        assert_eq!(disk.read(&path).unwrap(), b"01234567");
        assert_eq!(disk.len(&path).unwrap(), 8);
        assert_eq!(disk.read_range(&path, 2, 3).unwrap(), b"234");
        assert_eq!(disk.read_range(&path, 6, 100).unwrap(), b"67");
        assert_eq!(disk.read_range(&path, 100, 1).unwrap(), b"");
    });
}

#[test]
fn create_new_refuses_an_existing_name() {
    on_both_disks(|disk, dir| {
        let path = dir.join("key");
        write(disk, &path, b"first");
        let error = disk.create_new(&path).err().expect("the name is taken");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(disk.read(&path).unwrap(), b"first");
    });
}

#[test]
fn what_is_not_there_is_not_found() {
    on_both_disks(|disk, dir| {
        let path = dir.join("absent");
        let kinds = [
            disk.open_append(&path).err().unwrap().kind(),
            disk.read(&path).unwrap_err().kind(),
            disk.len(&path).unwrap_err().kind(),
            disk.permissions(&path).unwrap_err().kind(),
            disk.remove(&path).unwrap_err().kind(),
            disk.rename(&path, &dir.join("other")).unwrap_err().kind(),
            disk.truncate(&path, 0).unwrap_err().kind(),
            disk.list(&path).unwrap_err().kind(),
            disk.sync_dir(&path).unwrap_err().kind(),
            disk.free_bytes(&path).unwrap_err().kind(),
            disk.create_new(&path.join("child")).err().unwrap().kind(),
        ];
        assert_eq!(kinds, [io::ErrorKind::NotFound; 11]);
    });
}

#[test]
fn files_are_for_the_owner_only() {
    on_both_disks(|disk, dir| {
        let path = dir.join("secret");
        write(disk, &path, b"");
        assert_eq!(disk.permissions(&path).unwrap(), 0o600);
    });
}

#[test]
fn directories_are_made_with_their_parents_for_the_owner_only() {
    on_both_disks(|disk, dir| {
        let deep = dir.join("a/b/c");
        disk.create_dir_all(&deep).unwrap();
        disk.create_dir_all(&deep).unwrap();
        write(disk, &deep.join("file"), b"x");
        assert_eq!(disk.list(&deep).unwrap(), ["file"]);
    });

    let real = tempfile::tempdir().unwrap();
    let made = real.path().join("a");
    SystemDisk.create_dir_all(&made.join("b")).unwrap();
    assert_eq!(SystemDisk.permissions(&made).unwrap(), 0o700);
}

#[test]
fn a_file_in_the_way_of_a_directory_is_an_error() {
    on_both_disks(|disk, dir| {
        let path = dir.join("plain");
        write(disk, &path, b"");
        assert!(disk.create_dir_all(&path).is_err());
        assert!(disk.create_dir_all(&path.join("below")).is_err());
    });
}

#[test]
fn listing_is_sorted_and_leaves_directories_out() {
    on_both_disks(|disk, dir| {
        for name in ["c", "a", "b"] {
            write(disk, &dir.join(name), b"");
        }
        disk.create_dir_all(&dir.join("aa")).unwrap();
        assert_eq!(disk.list(dir).unwrap(), ["a", "b", "c"]);
    });
}

#[test]
fn rename_replaces_and_remove_forgets() {
    on_both_disks(|disk, dir| {
        let (from, to) = (dir.join("new"), dir.join("old"));
        write(disk, &to, b"old");
        write(disk, &from, b"new");
        disk.rename(&from, &to).unwrap();
        assert_eq!(disk.read(&to).unwrap(), b"new");
        disk.remove(&to).unwrap();
        assert!(disk.list(dir).unwrap().is_empty());
    });
}

#[test]
fn truncate_cuts_and_later_appends_go_to_the_new_end() {
    on_both_disks(|disk, dir| {
        let path = dir.join("log");
        write(disk, &path, b"abcdef");
        let mut open = disk.open_append(&path).unwrap();
        disk.truncate(&path, 2).unwrap();
        open.append(b"!").unwrap();
        assert_eq!(disk.read(&path).unwrap(), b"ab!");
        assert_eq!(disk.truncate(&path, 9).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    });
}

#[test]
fn there_is_free_space_to_report() {
    on_both_disks(|disk, dir| assert!(disk.free_bytes(dir).unwrap() > 0));
}

fn simulated(content: &[u8]) -> (SimulatedDisk, PathBuf) {
    let disk = SimulatedDisk::new();
    let path = PathBuf::from("/data/log");
    disk.create_dir_all(Path::new("/data")).unwrap();
    write(&disk, &path, content);
    (disk, path)
}

#[test]
fn a_power_cut_keeps_only_synced_bytes() {
    let (disk, path) = simulated(b"synced");
    disk.open_append(&path).unwrap().append(b" written").unwrap();
    disk.power_cut();
    assert_eq!(disk.read(&path).unwrap(), b"synced");
}

#[test]
fn a_kill_keeps_written_bytes() {
    let (disk, path) = simulated(b"synced");
    disk.open_append(&path).unwrap().append(b" written").unwrap();
    disk.kill();
    assert_eq!(disk.read(&path).unwrap(), b"synced written");
    disk.power_cut();
    assert_eq!(disk.read(&path).unwrap(), b"synced");
}

#[test]
fn open_files_die_with_their_process() {
    let (disk, path) = simulated(b"");
    for end in [SimulatedDisk::kill, SimulatedDisk::power_cut] {
        let mut open = disk.open_append(&path).unwrap();
        end(&disk);
        assert_eq!(errno(open.append(b"late")), Some(Errno::BADF.raw_os_error()));
        assert_eq!(errno(open.sync()), Some(Errno::BADF.raw_os_error()));
    }
    assert_eq!(disk.read(&path).unwrap(), b"");
}

#[test]
fn a_power_cut_forgets_names_whose_directory_was_not_synced() {
    let (disk, path) = simulated(b"kept");
    let dir = Path::new("/data");
    let mut unnamed = disk.create_new(&dir.join("unnamed")).unwrap();
    unnamed.append(b"synced bytes without a durable name").unwrap();
    unnamed.sync().unwrap();
    disk.rename(&path, &dir.join("renamed")).unwrap();
    disk.power_cut();
    assert_eq!(disk.list(dir).unwrap(), ["log"]);

    disk.rename(&path, &dir.join("renamed")).unwrap();
    disk.sync_dir(dir).unwrap();
    disk.remove(&dir.join("renamed")).unwrap();
    disk.power_cut();
    assert_eq!(disk.list(dir).unwrap(), ["renamed"]);
    assert_eq!(disk.read(&dir.join("renamed")).unwrap(), b"kept");
}

#[test]
fn a_power_cut_can_leave_a_torn_or_a_zero_filled_tail() {
    for (tail, expected) in [
        (Tail::Lost, &b"ok"[..]),
        (Tail::Torn { kept: 2 }, b"okab"),
        (Tail::Torn { kept: 99 }, b"okabc"),
        (Tail::Zeroed { len: 3 }, b"ok\0\0\0"),
        (Tail::Zeroed { len: 99 }, b"ok\0\0\0"),
    ] {
        let (disk, path) = simulated(b"ok");
        disk.open_append(&path).unwrap().append(b"abc").unwrap();
        disk.power_cut_with_tail(&path, tail);
        assert_eq!(disk.read(&path).unwrap(), expected, "{tail:?}");
        disk.power_cut();
        assert_eq!(disk.read(&path).unwrap(), expected, "what one cut left, the next one leaves too");
    }
}

/// A25, B05: after a failed sync a later one answers `Ok` without having saved the bytes; only a caller that stopped
/// at the error keeps its promises.
#[test]
fn a25_a_failed_sync_loses_its_bytes_although_the_next_sync_succeeds() {
    let (disk, path) = simulated(b"safe");
    let mut open = disk.open_append(&path).unwrap();
    disk.fail_sync(2);
    open.append(b"+1").unwrap();
    open.sync().unwrap();
    open.append(b"+2").unwrap();
    assert_eq!(errno(open.sync()), Some(Errno::IO.raw_os_error()));
    open.sync().unwrap();
    disk.power_cut();
    assert_eq!(disk.read(&path).unwrap(), b"safe+1");
}

#[test]
fn the_nth_sync_of_a_directory_fails_when_told_to() {
    let (disk, _) = simulated(b"");
    disk.fail_sync_dir(2);
    disk.sync_dir(Path::new("/data")).unwrap();
    assert_eq!(errno(disk.sync_dir(Path::new("/data"))), Some(Errno::IO.raw_os_error()));
    disk.sync_dir(Path::new("/data")).unwrap();
}

#[test]
fn a_full_disk_takes_what_fits_and_refuses_the_rest() {
    let (disk, path) = simulated(b"");
    let mut open = disk.open_append(&path).unwrap();
    disk.set_free_bytes(4);
    open.append(b"abc").unwrap();
    assert_eq!(disk.free_bytes(&path).unwrap(), 1);
    assert_eq!(errno(open.append(b"def")), Some(Errno::NOSPC.raw_os_error()));
    assert_eq!(disk.read(&path).unwrap(), b"abcd");

    disk.truncate(&path, 1).unwrap();
    assert_eq!(disk.free_bytes(&path).unwrap(), 3);
    disk.unlimit_free_bytes();
    open.append(b"defghi").unwrap();
}

#[test]
fn a_flipped_bit_is_read_back_flipped() {
    let (disk, path) = simulated(b"\x00\x00");
    disk.flip_bit(&path, 1, 7).unwrap();
    assert_eq!(disk.read(&path).unwrap(), b"\x00\x80");
    assert_eq!(disk.flip_bit(&path, 2, 0).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    assert_eq!(disk.flip_bit(&path, 0, 8).unwrap_err().kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn a_paused_sync_covers_only_what_was_appended_before_it_began() {
    let (disk, path) = simulated(b"");
    let mut syncing = disk.open_append(&path).unwrap();
    let mut other = disk.open_append(&path).unwrap();
    syncing.append(b"before").unwrap();
    let already = disk.completed_syncs();

    let pause = disk.pause_syncs();
    std::thread::scope(|scope| {
        let sync = scope.spawn(move || syncing.sync());
        pause.wait_until_held();
        other.append(b" during").unwrap();
        assert_eq!(disk.completed_syncs(), already);
        drop(pause);
        sync.join().unwrap().unwrap();
    });
    assert_eq!(disk.completed_syncs(), already + 1);
    disk.power_cut();
    assert_eq!(disk.read(&path).unwrap(), b"before");
}

#[test]
fn a_sync_that_was_paused_when_the_power_went_saves_nothing() {
    let (disk, path) = simulated(b"");
    let mut open = disk.open_append(&path).unwrap();
    open.append(b"x").unwrap();
    let pause = disk.pause_syncs();
    std::thread::scope(|scope| {
        let sync = scope.spawn(move || open.sync());
        pause.wait_until_held();
        disk.power_cut();
        drop(pause);
        assert_eq!(errno(sync.join().unwrap()), Some(Errno::BADF.raw_os_error()));
    });
    assert_eq!(disk.read(&path).unwrap(), b"");
}

#[test]
fn debug_shows_no_contents() {
    let (disk, _) = simulated(b"secret");
    assert_eq!(format!("{disk:?}"), "SimulatedDisk { .. }");
}
