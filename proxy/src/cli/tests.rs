use super::*;
use clap::CommandFactory;

/// The widest terminal that help must fit.
const WIDTH: usize = 80;

/// Each command, the program first, with what it prints for `--help`.
fn helps() -> Vec<(String, String)> {
    let program = Cli::command();
    let shown = program.get_subcommands().filter(|command| !command.is_hide_set());
    let names = shown.map(|command| command.get_name().to_owned());
    let names: Vec<_> = names.filter(|name| name != "help").collect();
    let help = |arguments: &[&str]| Cli::command().try_get_matches_from(arguments).unwrap_err().to_string();
    let mut helps = vec![("s3cors".to_owned(), help(&["s3cors", "--help"]))];
    helps.extend(names.into_iter().map(|name| (name.clone(), help(&["s3cors", &name, "--help"]))));
    helps
}

/// The commands of a help's "Examples:", each in one line.
fn examples(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    let lines: Vec<_> = lines.take_while(|line| line.starts_with("  ")).map(str::trim).collect();
    let joined = lines.join("\n").replace("\\\n", " ").replace("|\n", "| ");
    joined.lines().map(str::to_owned).collect()
}

/// The arguments of s3cors in a line of a shell.
fn arguments(line: &str) -> Vec<String> {
    let words = shlex::split(line).unwrap();
    let words = words.into_iter().skip_while(|word| word != "s3cors");
    words.take_while(|word| !["|", ">"].contains(&word.as_str())).collect()
}

#[test]
fn each_command_has_examples_that_it_accepts() {
    for (command, help) in helps() {
        // It has no arguments.
        if command == "man" {
            continue;
        }
        let examples = examples(&help);
        assert!((2..=4).contains(&examples.len()), "{command}: {examples:?}\n{help}");
        for example in examples {
            let arguments = arguments(&example);
            let parsed = Cli::command().try_get_matches_from(&arguments);
            let name = parsed.as_ref().map(|matches| matches.subcommand_name().unwrap().to_owned());
            let name = name.unwrap_or_else(|error| panic!("{example}: {error}"));
            assert!(command == "s3cors" || name == command, "{command}: {example}");
        }
    }
}

#[test]
fn each_command_that_can_fail_tells_its_exit_status() {
    for (command, help) in helps() {
        if ["s3cors", "completions", "man"].contains(&command.as_str()) {
            continue;
        }
        let told: Vec<_> = help.lines().skip_while(|line| *line != "Exit status:").skip(1).collect();
        let numbers: Vec<_> = told.iter().filter_map(|line| line.trim().split("  ").next()).collect();
        assert!(numbers.starts_with(&["0", "1", "2"]), "{command}: {help}");
    }
}

#[test]
fn help_fits_a_terminal() {
    for (command, help) in helps() {
        for line in help.lines() {
            assert!(line.chars().count() <= WIDTH, "{command}: {line}");
        }
    }
    let about = helps().remove(0).1;
    let commands = about.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    for line in commands {
        assert!(!line.starts_with("    "), "a command has one line: {line}");
    }
}

#[test]
fn a_build_without_the_demo_says_so_whatever_the_demo_is_asked() {
    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        demo: no_demo::NoDemo,
    }
    for arguments in [&["demo"][..], &["demo", "--listen", "127.0.0.1:0"], &["demo", "--help"], &["demo", "-h", "x"]] {
        let parsed = Program::try_parse_from(arguments);
        assert!(parsed.is_ok_and(|program| program.demo.run() == ExitCode::from(2)), "{arguments:?}");
    }
    assert!(no_demo::NoDemo::MESSAGE.contains("cargo build --release"));
}
