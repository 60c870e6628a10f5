//! Each word of another tool has an answer, and what it says can be typed.

use clap::CommandFactory as _;

use super::*;
use crate::args::Cli;

fn told(line: &str) -> Option<String> {
    let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let error = Cli::command().try_get_matches_from(&args).err()?;
    let failure = answer(&args, &error, &Cli::command())?;
    let help = failure.view.help.clone().unwrap_or_default();
    Some(format!("{}\n  {help}", failure.view.message))
}

#[test]
fn words_of_other_tools_are_answered() {
    let lines = [
        "strat state list",
        "strat import aws_instance.db i-1",
        "strat taint machine.db",
        "strat refresh",
        "strat workspace select prod",
        "strat force-unlock 1",
        "strat up",
        "strat apply -auto-approve",
        "strat apply --auto-approve",
        "strat plan -var a=b",
        "strat plan -var-file=prod.hcl",
        "strat plan -out=plan.json",
        "strat plan -refresh-only",
        "strat apply -replace=machine.db",
        "strat -chdir=shop plan",
        "strat output -raw url",
        "strat init -upgrade",
    ];
    let told = lines.map(|line| format!("$ {line}\n{}\n", told(line).unwrap_or_default()));
    insta::assert_snapshot!(told.join(""));
}

#[test]
fn other_mistakes_are_told_as_ever() {
    for line in [
        "strat paln",
        "strat plan --taget x",
        "strat plan -x",
        "strat --version",
        "strat help plan",
    ] {
        assert_eq!(told(line), None, "{line}");
    }
}
