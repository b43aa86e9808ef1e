//! Creation at every step of which the host may fail, and the refusals of what is missing.

use seams::{SeededEntropy, SimulatedDisk};

use super::*;

/// Arms one fault of a simulated disk.
type Fault = fn(&SimulatedDisk);

const DIR: &str = "/data/keys";

fn dir() -> &'static Path {
    Path::new(DIR)
}

fn created() -> (SimulatedDisk, Keyring) {
    let disk = SimulatedDisk::new();
    let keyring = Keyring::create(dir(), &disk, &SeededEntropy::new(1)).expect("the directory is empty");
    (disk, keyring)
}

/// Moves a file away for good, as an operator's mistake does.
fn lose(disk: &SimulatedDisk, name: &str) {
    disk.remove(&dir().join(name)).unwrap();
    disk.sync_dir(dir()).unwrap();
}

fn refusal(disk: &SimulatedDisk) -> KeyringNotOpened {
    Keyring::open(dir(), disk).err().expect("the keyring does not open")
}

#[test]
fn a_created_keyring_survives_a_power_cut_and_opens_again() {
    let (disk, keyring) = created();
    disk.power_cut();
    assert_eq!(disk.list(dir()).unwrap(), [KEYRING_FILE, ROOT_KEY_FILE]);
    let opened = Keyring::open(dir(), &disk).expect("both files are there");
    assert_eq!(opened.id(), keyring.id());
}

#[test]
fn a_second_start_opens_what_the_first_created() {
    let disk = SimulatedDisk::new();
    let open = || Keyring::open_or_create(dir(), &disk, &seams::SystemEntropy).expect("the disk is sound");
    assert_eq!(open().id(), open().id());
}

#[test]
fn creating_over_any_key_file_is_refused() {
    for lost in [None, Some(ROOT_KEY_FILE), Some(KEYRING_FILE)] {
        let (disk, _) = created();
        if let Some(name) = lost {
            lose(&disk, name);
        }
        let refused = Keyring::create(dir(), &disk, &SeededEntropy::new(2)).err();
        assert!(matches!(refused, Some(KeyringNotCreated::Exists { .. })), "without {lost:?}");
    }
}

/// D24: with the root key lost, no start makes a new one.
#[test]
fn d24_a_lost_root_key_is_an_error_and_never_replaced() {
    let (disk, _) = created();
    lose(&disk, ROOT_KEY_FILE);
    assert!(matches!(refusal(&disk), KeyringNotOpened::Root(RootKeyNotLoaded::Missing { .. })));
    assert!(Keyring::open_or_create(dir(), &disk, &SeededEntropy::new(2)).is_err());
    assert_eq!(disk.list(dir()).unwrap(), [KEYRING_FILE]);
}

/// D24: the same for the wrapped keys.
#[test]
fn d24_a_lost_keyring_is_an_error_and_never_replaced() {
    let (disk, _) = created();
    lose(&disk, KEYRING_FILE);
    let refused = refusal(&disk);
    assert!(matches!(refused, KeyringNotOpened::KeyringMissing { .. }));
    assert!(refused.to_string().contains("/data/keys/keyring: restore it"), "{refused}");
    assert!(Keyring::open_or_create(dir(), &disk, &SeededEntropy::new(2)).is_err());
    assert_eq!(disk.list(dir()).unwrap(), [ROOT_KEY_FILE]);
}

#[test]
fn an_empty_directory_is_a_missing_root_key() {
    let disk = SimulatedDisk::new();
    assert!(matches!(refusal(&disk), KeyringNotOpened::Root(RootKeyNotLoaded::Missing { .. })));
}

#[test]
fn a_damaged_keyring_is_named() {
    let (disk, _) = created();
    disk.flip_bit(&dir().join(KEYRING_FILE), 60, 0).unwrap();
    assert!(matches!(refusal(&disk), KeyringNotOpened::Damaged { source: KeyFileDamaged::Checksum, .. }));
}

/// D24: files of two keyrings in one directory do not open.
#[test]
fn d24_files_of_two_keyrings_do_not_open_together() {
    let (disk, _) = created();
    let other = SimulatedDisk::new();
    Keyring::create(dir(), &other, &SeededEntropy::new(2)).expect("the directory is empty");
    lose(&disk, KEYRING_FILE);
    let path = dir().join(KEYRING_FILE);
    disk.create_new(&path).unwrap().append(&other.read(&path).unwrap()).unwrap();
    let refused = refusal(&disk);
    assert!(matches!(refused, KeyringNotOpened::Unlock { source: UnlockRefused::AnotherKeyring { .. }, .. }));
}

/// A crash with both files waiting: nothing was sealed yet, so the next start begins again.
#[test]
fn a_creation_cut_short_before_its_files_count_begins_again() {
    let disk = SimulatedDisk::new();
    disk.fail_sync_dir(1);
    assert!(Keyring::create(dir(), &disk, &SeededEntropy::new(1)).is_err());
    disk.kill();
    assert_eq!(disk.list(dir()).unwrap(), ["keyring.new", "root.key.new"]);

    let again = Keyring::open_or_create(dir(), &disk, &SeededEntropy::new(2)).expect("it begins again");
    disk.power_cut();
    assert_eq!(disk.list(dir()).unwrap(), [KEYRING_FILE, ROOT_KEY_FILE]);
    assert_eq!(Keyring::open(dir(), &disk).expect("both files are there").id(), again.id());
}

/// A crash between the two renames, in whichever order they reached the medium: both files are whole.
#[test]
fn a_creation_cut_short_between_its_renames_is_finished() {
    for name in FILES {
        let (disk, keyring) = created();
        disk.rename(&dir().join(name), &unfinished(dir(), name)).unwrap();
        disk.sync_dir(dir()).unwrap();
        disk.power_cut();

        let opened = Keyring::open_or_create(dir(), &disk, &SeededEntropy::new(2)).expect("it is finished");
        assert_eq!(opened.id(), keyring.id());
        disk.power_cut();
        assert_eq!(disk.list(dir()).unwrap(), [KEYRING_FILE, ROOT_KEY_FILE]);
    }
}

/// Whatever step fails, and whether the process or the power goes, the next start has a keyring that lasts.
#[test]
fn a_failure_at_any_step_of_creation_is_recovered_from() {
    let faults: [(&str, Fault); 5] = [
        ("first file", |disk| disk.fail_sync(1)),
        ("second file", |disk| disk.fail_sync(2)),
        ("waiting names", |disk| disk.fail_sync_dir(1)),
        ("final names", |disk| disk.fail_sync_dir(2)),
        ("no space", |disk| disk.set_free_bytes(20)),
    ];
    for (step, arm) in faults {
        for end in [SimulatedDisk::kill, SimulatedDisk::power_cut] {
            let disk = SimulatedDisk::new();
            arm(&disk);
            assert!(Keyring::create(dir(), &disk, &SeededEntropy::new(1)).is_err(), "{step}");
            end(&disk);
            disk.unlimit_free_bytes();
            let recovered = Keyring::open_or_create(dir(), &disk, &SeededEntropy::new(2)).expect(step);
            disk.power_cut();
            assert_eq!(Keyring::open(dir(), &disk).expect(step).id(), recovered.id(), "{step}");
        }
    }
}

/// The same on the operating system's files.
#[test]
fn the_key_files_of_a_real_directory_are_for_the_owner_only() {
    let host = tempfile::tempdir().unwrap();
    let dir = host.path().join("keys");
    let keyring = Keyring::create(&dir, &seams::SystemDisk, &seams::SystemEntropy).expect("it is empty");
    for name in FILES {
        assert_eq!(seams::SystemDisk.permissions(&dir.join(name)).unwrap(), 0o600);
    }
    assert_eq!(Keyring::open(&dir, &seams::SystemDisk).expect("it is there").id(), keyring.id());
}
