//! The ways in which editors, deployments and the kubelet change files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A way to lay rules out on disk and to change them, below a directory of its own.
pub struct Manner {
    pub name: &'static str,
    /// Writes the first rules and says what `--rules` is.
    pub set_up: fn(&Path, &str) -> PathBuf,
    /// Makes a change; the number names it.
    pub change: fn(&Path, usize, &str),
}

/// Writes `<root>/<directory>/bucket.xml`, making the directory.
fn write_in(root: &Path, directory: &str, text: &str) -> PathBuf {
    let directory = root.join(directory);
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("bucket.xml"), text).unwrap();
    directory
}

fn relink(link: &Path, target: &str) {
    let new = link.with_file_name("..data_tmp");
    symlink(target, &new).unwrap();
    fs::rename(&new, link).unwrap();
}

/// What the kubelet does: a directory with the time as name, then `..data` renamed over, then the old directory removed.
fn swap_config_map(mount: &Path, number: usize, text: &str) {
    let directory = format!("..2026_01_01_00_00_00.{number:09}");
    write_in(mount, &directory, text);
    relink(&mount.join("..data"), &directory);
    if number > 0 {
        fs::remove_dir_all(mount.join(format!("..2026_01_01_00_00_00.{:09}", number - 1))).unwrap();
    }
}

fn set_up_config_map(root: &Path, text: &str) -> PathBuf {
    let mount = root.join("mount");
    swap_config_map(&mount, 0, text);
    symlink("..data/bucket.xml", mount.join("bucket.xml")).unwrap();
    mount
}

/// What file systems notify about: live without a look that was due anyway.
pub const NOTIFIED: [Manner; 11] = [
    Manner {
        name: "written in place",
        set_up: |root, text| write_in(root, "rules", text),
        change: |root, _, text| fs::write(root.join("rules/bucket.xml"), text).unwrap(),
    },
    Manner {
        name: "renamed over",
        set_up: |root, text| write_in(root, "rules", text),
        change: |root, _, text| {
            fs::write(root.join("rules/.bucket.xml.swp"), text).unwrap();
            fs::rename(root.join("rules/.bucket.xml.swp"), root.join("rules/bucket.xml")).unwrap();
        },
    },
    Manner {
        name: "moved in from another directory",
        set_up: |root, text| write_in(root, "rules", text),
        change: |root, _, text| {
            write_in(root, "elsewhere", text);
            fs::rename(root.join("elsewhere/bucket.xml"), root.join("rules/bucket.xml")).unwrap();
        },
    },
    Manner {
        name: "ConfigMap swap",
        set_up: set_up_config_map,
        change: |root, number, text| swap_config_map(&root.join("mount"), number, text),
    },
    Manner {
        name: "directory renamed away and another in its place",
        set_up: |root, text| write_in(root, "rules", text),
        change: |root, number, text| {
            // The second change is in the new directory: a watcher that still watches the old one misses it.
            if number == 2 {
                return fs::write(root.join("rules/bucket.xml"), text).unwrap();
            }
            write_in(root, "new", text);
            fs::rename(root.join("rules"), root.join(format!("old{number}"))).unwrap();
            fs::rename(root.join("new"), root.join("rules")).unwrap();
        },
    },
    Manner {
        name: "directory removed and made again",
        set_up: |root, text| write_in(root, "rules", text),
        change: |root, number, text| {
            if number != 2 {
                fs::remove_dir_all(root.join("rules")).unwrap();
            }
            write_in(root, "rules", text);
        },
    },
    Manner {
        name: "symlink to the directory switched",
        set_up: |root, text| {
            write_in(root, "v0", text);
            symlink("v0", root.join("rules")).unwrap();
            root.join("rules")
        },
        change: |root, number, text| {
            write_in(root, &format!("v{number}"), text);
            relink(&root.join("rules"), &format!("v{number}"));
        },
    },
    Manner {
        name: "single file written in place",
        set_up: |root, text| write_in(root, "rules", text).join("bucket.xml"),
        change: |root, _, text| fs::write(root.join("rules/bucket.xml"), text).unwrap(),
    },
    Manner {
        name: "single file renamed over",
        set_up: |root, text| write_in(root, "rules", text).join("bucket.xml"),
        change: |root, _, text| {
            fs::write(root.join("rules/bucket.xml~"), text).unwrap();
            fs::rename(root.join("rules/bucket.xml~"), root.join("rules/bucket.xml")).unwrap();
        },
    },
    Manner {
        name: "single file of a ConfigMap",
        set_up: |root, text| set_up_config_map(root, text).join("bucket.xml"),
        change: |root, number, text| swap_config_map(&root.join("mount"), number, text),
    },
    Manner {
        name: "symlink to a single file switched",
        set_up: |root, text| {
            write_in(root, "v0", text);
            symlink("v0/bucket.xml", root.join("rules.xml")).unwrap();
            root.join("rules.xml")
        },
        change: |root, number, text| {
            write_in(root, &format!("v{number}"), text);
            relink(&root.join("rules.xml"), &format!("v{number}/bucket.xml"));
        },
    },
];

/// What no watch on the directory of the rules hears of.
pub const UNNOTIFIED: [Manner; 3] = [
    Manner {
        name: "written through a hard link elsewhere",
        set_up: |root, text| {
            let elsewhere = write_in(root, "elsewhere", text);
            fs::create_dir(root.join("rules")).unwrap();
            fs::hard_link(elsewhere.join("bucket.xml"), root.join("rules/bucket.xml")).unwrap();
            root.join("rules")
        },
        change: |root, _, text| fs::write(root.join("elsewhere/bucket.xml"), text).unwrap(),
    },
    Manner {
        name: "target of a symlink written in place",
        set_up: |root, text| {
            write_in(root, "elsewhere", text);
            fs::create_dir(root.join("rules")).unwrap();
            symlink("../elsewhere/bucket.xml", root.join("rules/bucket.xml")).unwrap();
            root.join("rules")
        },
        change: |root, _, text| fs::write(root.join("elsewhere/bucket.xml"), text).unwrap(),
    },
    Manner {
        name: "directory above the rules replaced",
        set_up: |root, text| write_in(root, "above/rules", text),
        change: |root, number, text| {
            write_in(root, "new/rules", text);
            fs::rename(root.join("above"), root.join(format!("old{number}"))).unwrap();
            fs::rename(root.join("new"), root.join("above")).unwrap();
        },
    },
];
