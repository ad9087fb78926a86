//! The region that requests are signed for.

use reqsign_core::Env;
use std::path::PathBuf;

/// The region where no one names one, which most servers other than Amazon's take.
const REGION: &str = "us-east-1";

/// Returns the configured region, else that of the environment, else that of the profile. The last is read from a file here, so this is
/// for a start only.
pub fn region(env: &impl Env, profile: Option<&str>, configured: Option<&str>) -> String {
    let variable = |name| env.var(name).filter(|value| !value.is_empty());
    let of_profile = || {
        let file = variable("AWS_CONFIG_FILE").unwrap_or_else(|| "~/.aws/config".to_owned());
        let text = std::fs::read_to_string(path(env, &file)?).ok()?;
        let profile = profile.map(str::to_owned).or_else(|| variable("AWS_PROFILE"));
        region_in(&text, profile.as_deref().unwrap_or("default"))
    };
    let found = configured.map(str::to_owned).or_else(|| variable("AWS_REGION"));
    found.or_else(|| variable("AWS_DEFAULT_REGION")).or_else(of_profile).unwrap_or_else(|| REGION.to_owned())
}

fn path(env: &impl Env, file: &str) -> Option<PathBuf> {
    match file.strip_prefix("~/") {
        Some(rest) => Some(env.home_dir()?.join(rest)),
        None => Some(file.into()),
    }
}

/// Reads the region of a profile (AWS SDKs and Tools Reference Guide, "Shared config and credentials files"). The keys of a nested
/// section are indented, and may have the same names.
fn region_in(text: &str, profile: &str) -> Option<String> {
    let mut is_in = false;
    let mut region = None;
    for line in text.lines().filter(|line| !line.starts_with([' ', '\t'])) {
        if let Some((section, _)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            is_in = is_section(section, profile);
        } else if let Some((key, value)) = line.split_once('=')
            && is_in
            && key.trim() == "region"
        {
            // A comment at the end of a line begins after a blank.
            let value = value.split([' ', '\t']).find(|word| !word.is_empty());
            region = value.filter(|value| !value.starts_with(['#', ';'])).map(str::to_owned).or(region);
        }
    }
    region
}

fn is_section(section: &str, profile: &str) -> bool {
    let section = section.trim();
    let named = section.strip_prefix("profile").filter(|rest| rest.starts_with([' ', '\t']));
    let name = named.map_or(section, |name| name.trim().trim_matches(['"', '\'']));
    name == profile && (named.is_some() || profile == "default")
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqsign_core::StaticEnv;

    const CONFIG: &str = "# region = comment\n[default]\nregion = eu-west-1\n[profile work]\noutput = json\ns3 =\n  region = nested\n\
                          region=eu-west-2 # mine\n[ profile \"two words\" ]\nregion\t=\tap-south-1\r\n[profile bare]\n[work]\nregion = x\n";

    #[test]
    fn a_profile_has_its_own_region() {
        for (profile, region) in [
            ("default", Some("eu-west-1")),
            ("work", Some("eu-west-2")),
            ("two words", Some("ap-south-1")),
            ("bare", None),
            ("absent", None),
            ("profile work", None),
        ] {
            assert_eq!(region_in(CONFIG, profile).as_deref(), region, "{profile}");
        }
    }

    #[test]
    fn the_nearest_region_counts() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/config"), CONFIG).unwrap();
        let elsewhere = home.path().join("elsewhere").to_str().unwrap().to_owned();
        std::fs::write(&elsewhere, "[default]\nregion = sa-east-1\n").unwrap();
        for (configured, profile, variables, expected) in [
            (Some("a"), Some("work"), &[("AWS_REGION", "b")][..], "a"),
            (None, Some("work"), &[("AWS_REGION", "b"), ("AWS_DEFAULT_REGION", "c")], "b"),
            (None, Some("work"), &[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "c")], "c"),
            (None, Some("work"), &[("AWS_PROFILE", "two words")], "eu-west-2"),
            (None, None, &[("AWS_PROFILE", "two words")], "ap-south-1"),
            (None, None, &[], "eu-west-1"),
            (None, None, &[("AWS_CONFIG_FILE", &*elsewhere)], "sa-east-1"),
            (None, None, &[("AWS_CONFIG_FILE", "/nowhere")], "us-east-1"),
            (None, Some("bare"), &[], "us-east-1"),
        ] {
            let envs = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let env = StaticEnv { home_dir: Some(home.path().to_owned()), envs };
            assert_eq!(region(&env, profile, configured), expected, "{configured:?} {profile:?} {variables:?}");
        }
    }
}
