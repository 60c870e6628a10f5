//! Commands of other tools.

/// What to type instead of another tool's command.
pub(super) fn instead(word: &str) -> Option<&'static str> {
    Some(match word {
        "state" => {
            "the clouds are the state, there is no file of it: `strat show` lists what there is, a \
             `moved` block renames a thing, and `strat release ADDR` lets one go"
        }
        "import" => {
            "write the block, then say which thing it is: `strat adopt machine.db@dc1 ID`; the next \
             `strat plan` tells what differs"
        }
        "taint" | "untaint" => {
            "nothing is noted for later: `strat plan --replace ADDR` shows, and \
             `strat apply --replace ADDR` does it"
        }
        "refresh" => {
            "every plan looks at the world anew, so there is nothing to refresh: `strat drift` tells \
             what was changed behind its back, `strat show` what there is"
        }
        "workspace" | "stack" => {
            "one topology in several environments: `strat plan --env prod`, with values in \
             `prod.vars.hcl` beside it; each has its own things, journal and lease"
        }
        "force-unlock" => "a lease ends by itself; of a run that is surely dead: `strat unlock`",
        "get" => "nothing is downloaded; the providers are built in: `strat providers`",
        "login" | "logout" => {
            "credentials are the cloud's own (its command line, environment or profile); a site names \
             which: `strat doctor` tells who you are at each"
        }
        "preview" => "it is `strat plan`",
        "up" => "it is `strat apply`",
        "down" => "it is `strat destroy`",
        "new" => "it is `strat init`",
        "check" | "lint" => "it is `strat validate`",
        "format" => "it is `strat fmt`",
        "outputs" => "it is `strat output`",
        "metadata" => "`strat functions` lists the functions, `strat schema` the schemas",
        "cost" | "pricing" => {
            "every plan tells the cost; without asking a cloud: `strat plan --offline`"
        }
        _ => return None,
    })
}
