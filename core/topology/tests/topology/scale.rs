//! Much of everything: it stays fast, and nothing overflows.

use std::fmt::Write as _;
use std::sync::Arc;

use strat_model::LocalAddr;

use crate::support::{codes, evaluate};

const HEAD: &str = r#"
topology "t" { labels = { env = "x" } }
site "a" { provider = "sim" }
network "n" {
  cidr  = "10.0.0.0/16"
  sites = [site.a]
}
subnet "s" {
  network = network.n
  newbits = 4
}
"#;

#[test]
fn a_hundred_thousand_instances() {
    let text = format!(
        r#"{HEAD}
locals {{ keys = {{ for n in range(50000) : format("m%05d", n) => n }} }}
machine "m" {{
  for_each = local.keys
  cpu      = each.value % 4 + 1
  memory   = "4GiB"
  image    = "debian-12"
  subnet   = subnet.s
  labels   = {{ role = "m" }}
}}
volume "v" {{
  for_each = machine.m
  size     = "10GiB"
  attach   = each.value
}}
output "ips" {{ value = [for m in values(machine.m) : m.private_ip] }}
"#
    );
    let evaluated = evaluate(&[("t.hcl", &text)]).expect("it evaluates");
    assert_eq!(evaluated.intent.machines.len(), 50_000);
    assert_eq!(evaluated.intent.volumes.len(), 50_000);
}

#[test]
fn what_waits_for_a_block_holds_it_once() {
    let text = format!(
        r#"{HEAD}
bucket "a" {{
  count = 30000
  site  = site.a
}}
bucket "b" {{
  count      = 30000
  site       = site.a
  depends_on = [bucket.a]
}}
bucket "c" {{
  count      = 30000
  site       = site.a
  depends_on = [bucket.a, bucket.b[count.index]]
}}
machine "m" {{
  count     = 2000
  cpu       = 2
  memory    = "4GiB"
  image     = "debian-12"
  subnet    = subnet.s
  user_data = "%{{ for n in range(2000) }}${{bucket.c[n].id}}%{{ endfor }}"
}}
"#
    );
    let evaluated = evaluate(&[("t.hcl", &text)]).expect("it evaluates");
    let find = |name: &str| {
        let buckets = evaluated.intent.buckets.iter();
        let mut found = buckets.filter(|bucket| bucket.common.addr.name.as_str() == name);
        (found.next().expect(name), found.next().expect(name))
    };
    let (first, second) = find("b");
    let all: [LocalAddr; 1] = ["bucket.a".parse().expect("an address")];
    assert_eq!(*first.common.depends_on, all);
    assert!(Arc::ptr_eq(
        &first.common.depends_on,
        &second.common.depends_on
    ));
    let named = find("c").1.common.depends_on.iter();
    let named: Vec<_> = named.map(ToString::to_string).collect();
    assert_eq!(named, ["bucket.a", "bucket.b[1]"]);
    let parts = |machine: usize| evaluated.intent.machines[machine].user_data.as_ref();
    let parts = |machine: usize| parts(machine).expect("user data").parts();
    assert_eq!(parts(0).len(), 2000);
    assert!(std::ptr::eq(parts(0), parts(1)));
}

#[test]
fn a_mistake_in_every_instance_is_one_finding() {
    let text = format!(
        "{HEAD}bucket \"b\" {{\n  count = 5000\n  site = site.a\n  versioning = count.index\n}}\n"
    );
    let found = evaluate(&[("t.hcl", &text)]).expect_err("refused");
    assert_eq!(codes(&found), ["wrong_type"]);
}

#[test]
fn long_chains_do_not_overflow() {
    let mut text = format!("{HEAD}locals {{\n  x0 = 1\n");
    for n in 1..20_000 {
        let _ = writeln!(text, "  x{n} = local.x{} + 1", n - 1);
    }
    text.push_str("}\n");
    evaluate(&[("t.hcl", &text)]).expect("it evaluates");
    let circle = text.replace("x0 = 1\n", "x0 = local.x19999\n");
    let found = evaluate(&[("t.hcl", &circle)]).expect_err("refused");
    assert!(
        ["too_deep", "reference_cycle"].contains(&codes(&found)[0]),
        "{found:#?}"
    );
}

#[track_caller]
fn too_deep(text: &str) {
    let found = evaluate(&[("t.hcl", text)]).expect_err("refused");
    let deep = found
        .iter()
        .find(|finding| finding.message.contains("1000 levels"));
    assert!(deep.is_some(), "{:?}", &found[0]);
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{ a = ", "}"),
        ("\"${", "}\""),
        ("upper(", ")"),
        ("-", ""),
        ("!", ""),
    ] {
        let nested = |levels| {
            let value = format!("{}1{}", open.repeat(levels), close.repeat(levels));
            format!("topology \"t\" {{}}\nlocals {{\n  x = {value}\n}}\n")
        };
        too_deep(&nested(50_000));
        let value = evaluate(&[("t.hcl", &nested(400))]);
        assert!(value.is_ok() || open == "!", "{open}");
    }
    too_deep(&format!(
        "{}{}",
        "a {\n".repeat(50_000),
        "}\n".repeat(50_000)
    ));
    for step in [" + 1", ".a", "[0]", "[*]", " ? 1 : 2", "%{ if true }"] {
        let value = |levels| {
            format!(
                "topology \"t\" {{}}\nlocals {{ x = 1{} }}\n",
                step.repeat(levels)
            )
        };
        if step == "%{ if true }" {
            let value = format!("{}{}", step.repeat(100_000), "%{ endif }".repeat(100_000));
            too_deep(&format!(
                "topology \"t\" {{}}\nlocals {{ x = \"{value}\" }}\n"
            ));
        } else {
            too_deep(&value(100_000));
        }
    }
    let sum = format!(
        "topology \"t\" {{}}\nlocals {{ x = 1{} }}\n",
        " + 1".repeat(900)
    );
    // What is dropped on a small stack was made on a large one.
    std::thread::scope(|scope| {
        let small = std::thread::Builder::new().stack_size(1 << 20);
        let run = small.spawn_scoped(scope, || evaluate(&[("t.hcl", &sum)]).map(drop));
        run.expect("a thread")
            .join()
            .expect("it ends")
            .expect("it evaluates");
    });
}

#[test]
fn nothing_much_is_handled() {
    for text in ["", "# only a comment\n", "\u{feff}", "\r\n", "/* a */"] {
        let found = evaluate(&[("t.hcl", text)]).expect_err("refused");
        assert_eq!(codes(&found), ["missing_topology"], "{text:?}");
    }
    let text = format!("\u{feff}{}", HEAD.replace('\n', "\r\n"));
    evaluate(&[("t.hcl", &text)]).expect("a mark and Windows lines are fine");
}

/// Long enough to be parsed in parts, with everything between which a part must not end.
fn long(last: &str) -> String {
    let mut text = HEAD.to_owned();
    for n in 0..2_000 {
        let _ = write!(
            text,
            r#"
machine "m{n}" {{ # }} a bracket in a comment
  cpu       = 2
  memory    = "4GiB"
  image     = "debian-12"
  subnet    = subnet.s
  labels    = {{
    number = "{n}"
  }}
  user_data = <<-EOT
    }}
    echo "{{"
    EOT
}} // {n}

bucket "b{n}" {{
  site       = site.a
  depends_on = [machine.m{n}]
}}
"#
        );
    }
    text + last
}

#[test]
fn a_long_file_is_the_same_in_parts() {
    let whole = long("");
    let evaluated = evaluate(&[("t.hcl", &whole)]).expect("it evaluates");
    assert_eq!(evaluated.intent.machines.len(), 2_000);
    for machine in &evaluated.intent.machines {
        let place = machine.common.origin("labels").expect("a place");
        let text = &whole[place.start as usize..place.end as usize];
        let number = machine.common.addr.name.as_str().trim_start_matches('m');
        assert!(text.contains(&format!("number = \"{number}\"")), "{text}");
    }
    let windows = whole.replace('\n', "\r\n");
    let evaluated = evaluate(&[("t.hcl", &windows)]).expect("it evaluates");
    assert_eq!(evaluated.intent.buckets.len(), 2_000);
}

#[test]
fn mistakes_at_the_end_of_a_long_file_are_told_where_they_are() {
    for (last, code, word) in [
        (
            "bucket \"c\" {\n  site = site.a\n  colour = 1\n}\n",
            "unknown_attribute",
            "colour",
        ),
        ("loose = 1\n", "unknown_attribute", "loose"),
        ("bucket \"c\" {\n  site = \n}\n", "syntax", "\n"),
        (
            "bucket \"m1\" {\n  site = site.a\n  site = site.a\n}\n",
            "duplicate_attribute",
            "site",
        ),
    ] {
        let text = long(last);
        let found = evaluate(&[("t.hcl", &text)]).expect_err("refused");
        assert_eq!(codes(&found), [code], "{last}");
        let place = &found[0].labels[0].origin;
        let (start, end) = (place.start as usize, place.end as usize);
        assert!(start >= text.len() - last.len(), "{last}: {start}");
        assert_eq!(&text[start..end], word, "{last}");
    }
}
