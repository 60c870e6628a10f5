//! Whether traffic passes, asked and held to.

use serde_json::{Value, json};

use crate::strict::{assert_holds, validator};
use crate::support::Shop;

/// The answer of a question, with what stands between the ends, and the exit code.
fn asked(shop: &Shop, args: &[&str]) -> (Option<i32>, String) {
    let args: Vec<&str> = ["reach"].into_iter().chain(args.iter().copied()).collect();
    let done = shop.run(&args);
    (done.code, format!("{}{}", done.stdout, done.stderr))
}

#[test]
fn the_topology_alone_says_what_passes_and_which_rule_decides() {
    let shop = Shop::new();
    let (code, text) = asked(&shop, &["machines.web@dc1", "machine.db[\"primary\"]:5432"]);
    assert_eq!(code, Some(0), "{text}");
    insta::assert_snapshot!(text, @r#"
    machines.web@dc1 -> machine.db["primary"]@dc1: tcp 5432 passes
      yes route   both are in network.core@dc1
      yes egress  firewall.web@dc1 has no egress rule: it lets out everything  (./shop.hcl:67)
      yes ingress firewall.db@dc1 admits it
                   firewall.db@dc1 ingress "postgres": from firewall.web@dc1, tcp 5432-5433  (./shop.hcl:86)
    "#);
    let (code, text) = asked(&shop, &["machines.web@dc1", "machine.db[\"primary\"]:22"]);
    assert_eq!(code, Some(2), "{text}");
    insta::assert_snapshot!(text, @r#"
    machines.web@dc1 -> machine.db["primary"]@dc1: tcp 22 does not pass
      yes route   both are in network.core@dc1
      yes egress  firewall.web@dc1 has no egress rule: it lets out everything  (./shop.hcl:67)
      no  ingress no ingress rule of firewall.db@dc1 admits it  (./shop.hcl:83)
    "#);
    // A fleet is answered for each site of its placement, and what joins the sites is assumed.
    let (code, text) = asked(&shop, &["machines.web", "machine.db:5432"]);
    assert_eq!(
        (code, text.matches("-> machine.db").count()),
        (Some(0), 6),
        "{text}"
    );
    assert!(
        text.contains("it is assumed that something joins the two sites"),
        "{text}"
    );
    // Nothing was called and nothing is left behind.
    assert!(!shop.path().join(".stratiform").exists());
}

#[test]
fn without_a_port_the_answer_says_which_pass() {
    let shop = Shop::new();
    // Who only goes out is reached by nobody, whatever its firewall admits.
    let (code, text) = asked(&shop, &["internet", "machines.web@east"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("no  route   machines.web@east has no public address"),
        "{text}"
    );
    let (code, text) = asked(&shop, &["machines.web@east", "internet:udp/53"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("leads out by NAT"), "{text}");
    shop.edit(
        "subnet \"app\" {",
        "subnet \"app\" {\n  internet = \"public\"",
    );
    shop.edit(
        "machines \"web\" {",
        "machines \"web\" {\n  public_ip = true",
    );
    let (code, text) = asked(&shop, &["internet", "machines.web@east"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.starts_with("internet -> machines.web@east: tcp 80, 443 passes\n"),
        "{text}"
    );
    let (code, text) = asked(&shop, &["internet", "machine.db[\"standby\"]"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains(": nothing passes\n"), "{text}");
    let (code, text) = asked(
        &shop,
        &["203.0.113.7", "machines.web@east", "--protocol", "icmp"],
    );
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("icmp does not pass"), "{text}");
    let (code, text) = asked(&shop, &["machines.web@east", "internet:udp/53"]);
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn the_answer_as_json_is_as_its_schema_says() {
    let shop = Shop::new();
    let schema = validator("reach");
    for to in ["machine.db:5432", "machine.db:22", "machine.db", "internet"] {
        let done = shop.run(&["reach", "machines.web", to, "--json"]);
        let answer: Value = serde_json::from_str(&done.stdout).expect("JSON");
        assert_holds(&schema, &answer);
    }
    let answer = shop.json(&[
        "reach",
        "machines.web@west",
        "machine.db[\"primary\"]:5432",
        "--json",
    ]);
    assert_eq!(answer["passes"], json!("yes"));
    assert_eq!(answer["crossings"][0]["assumed"], json!(true));
    let rule = &answer["crossings"][0]["hops"][2]["rules"][0];
    assert_eq!(
        (&rule["rule"], &rule["place"]["line"]),
        (&json!("postgres"), &json!(86))
    );
}

#[test]
fn what_is_no_end_is_told_with_what_was_meant() {
    let shop = Shop::new();
    for (args, said) in [
        (["machine.bd", "machines.web"], "did you mean `machine.db`?"),
        (["firewall.web", "machine.db"], "this is a firewall"),
        (
            ["internet", "10.0.0.0/8"],
            "name a machine of the topology at one end",
        ),
        (["machines.web", "machine.db:http"], "`http` is no port"),
        (
            ["machines.web@moon", "machine.db"],
            "did you mean `machines.web@dc1`?",
        ),
    ] {
        let (code, text) = asked(&shop, &args);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains(said), "{text}");
    }
}

/// What is told, without the lines that it is broken into.
fn in_one_line(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| *word != "|");
    words.collect::<Vec<_>>().join(" ")
}

const OPEN: &str =
    "\n  ingress \"all\" {\n    from  = [\"internet\"]\n    ports = [5432]\n  }\n}\n\nkeypair";

/// Opens the database to everybody.
fn opened() -> Shop {
    let shop = Shop::new();
    shop.edit("}\n\nkeypair", OPEN);
    shop
}

#[test]
fn a_broken_check_stops_validate_plan_and_apply_before_the_first_call() {
    let shop = opened();
    for args in [
        &["validate"][..],
        &["plan"],
        &["plan", "--offline"],
        &["apply", "--yes"],
    ] {
        let done = shop.run(args);
        assert_eq!(done.code, Some(1), "{args:?}: {done}");
        let told = in_one_line(&done.stderr);
        for said in [
            "refuse_reach `database`: tcp 5432 may pass from internet to machine.db",
            "this does not hold",
            "lets it in",
            "narrow the rules that admit it",
        ] {
            assert!(told.contains(said), "{args:?}: no `{said}` in\n{done}");
        }
    }
    assert_eq!(shop.things(), [], "nothing was made");
    let done = shop.run(&["plan", "--json"]);
    let failed: Value = serde_json::from_str(&done.stdout).expect("JSON");
    let finding = &failed["findings"][0];
    assert_eq!(finding["code"], json!("refuse_reach"));
    assert_eq!(finding["labels"][1]["text"], json!("lets it in"));
    // Nothing stands in the way of taking it all down.
    shop.ok(&["destroy", "--yes"]);
}

#[test]
fn a_check_that_holds_is_in_the_plan() {
    let shop = Shop::new();
    shop.edit(
        "refuse_reach \"database\" {",
        "assert_reach \"shop\" {\n  from    = machines.web\n  to      = [machine.db]\n  ports   = [5432, 5433]\n}\n\nrefuse_reach \"database\" {",
    );
    shop.ok(&["validate"]);
    let plan = shop.json(&["plan", "--json"]);
    let held = |wants: &str, name: &str| json!({ "wants": wants, "name": name, "holds": "yes", "why": null });
    assert_eq!(
        plan["reaches"],
        json!([held("assert", "shop"), held("refuse", "database")])
    );
    assert_holds(&validator("plan"), &plan);
    // A port that no rule admits.
    shop.edit(
        "[5432, 5433]",
        "[5432, 6000]\n  message = \"the shop needs its database\"",
    );
    let done = shop.run(&["plan"]);
    assert_eq!(done.code, Some(1), "{done}");
    let told = in_one_line(&done.stderr);
    for said in [
        "assert_reach `shop`",
        "tcp 5432, 6000 does not surely pass in full",
        "the shop needs its database",
        "does not admit all of it",
    ] {
        assert!(told.contains(said), "no `{said}` in\n{done}");
    }
}

#[test]
fn a_check_that_makes_no_sense_is_told_at_its_place() {
    for (block, said) in [
        (
            "from = \"internet\"\n  to = \"10.0.0.0/8\"",
            "neither internet nor 10.0.0.0/8 is a machine",
        ),
        (
            "from = machines.web\n  to = \"machine.bd\"",
            "there are no machines `machine.bd`",
        ),
        (
            "from = \"machines.web@mars\"\n  to = machine.db",
            "machines.web is never at the site `mars`",
        ),
        (
            "from = machines.web\n  to = machine.db\n  protocol = \"icmp\"\n  port = 5",
            "the protocol `icmp` has no ports",
        ),
        (
            "from = firewall.web\n  to = machine.db",
            "`from` is an end of traffic",
        ),
        ("from = []\n  to = machine.db", "`from` names nobody"),
        ("from = machines.web", "`to`"),
    ] {
        let shop = Shop::new();
        shop.edit(
            "  from = \"internet\"\n  to   = machine.db",
            &format!("  {block}"),
        );
        let done = shop.run(&["validate"]);
        assert_eq!(done.code, Some(1), "{block}: {done}");
        assert!(done.stderr.contains(said), "no `{said}` in\n{done}");
    }
}

#[test]
fn what_cannot_be_seen_leaves_a_check_undecided_and_stops_nothing() {
    let shop = Shop::new();
    shop.ok(&["apply", "--yes"]);
    // A site that does not answer may hold machines that a rule of the database's firewall names.
    shop.ok(&["sim", "lose-region", "west"]);
    let done = shop.run(&["plan", "--json"]);
    let plan: Value = serde_json::from_str(&done.stdout).expect("JSON");
    let check = &plan["reaches"][0];
    assert_eq!(
        (&check["name"], &check["holds"]),
        (&json!("database"), &json!("unknown")),
        "{done}"
    );
    assert!(
        in_one_line(&done.stderr).contains("cannot be decided now"),
        "{done}"
    );
}
