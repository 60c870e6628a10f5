//! The canonical layout.

use proptest::prelude::*;
use strat_model::Inventory;
use strat_topology::format;

use crate::support::evaluate;

#[track_caller]
fn check(text: &str, expect: &str) {
    let formatted = format(text).expect("it is valid");
    assert_eq!(formatted, expect);
    assert_eq!(format(&formatted).expect("it stays valid"), formatted);
}

#[test]
fn the_reference_is_laid_out_well() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/hybrid-shop/shop.hcl"
    );
    let text = std::fs::read_to_string(path).expect("the reference can be read");
    check(&text, &text);
}

#[test]
fn white_space_is_set_right() {
    check(
        "topology   \"t\"{\nlabels={a=1,b=2}\n   realm   =\"x\" # why\n\tother_name = [1,2 , 3]   // because\n}\n\n\n",
        "topology \"t\" {\n  labels     = { a = 1, b = 2 }\n  realm      = \"x\"       # why\n  other_name = [1, 2, 3] // because\n}\n\n\n",
    );
}

#[test]
fn expressions_are_spaced() {
    for (text, expect) in [
        ("a=b+c*-d", "b + c * -d"),
        ("a = -1-2", "-1 - 2"),
        ("a=!b&&c||(d)", "!b && c || (d)"),
        ("a=x?y:z", "x ? y : z"),
        ("a=f( 1 ,g(2)... )", "f(1, g(2)...)"),
        ("a=x . y [ 0 ] . z", "x.y[0].z"),
        ("a=x[*].y", "x[*].y"),
        ("a=x.*.y", "x.*.y"),
        (
            "a=[for k,v in m:k=>v if v>1]",
            "[for k, v in m : k => v if v > 1]",
        ),
        (
            "a={for x in [1]:x=>(x)...}",
            "{ for x in [1] : x => (x)... }",
        ),
        ("a={}", "{}"),
        (
            "a=\"${ b+1 }  %{ if c ~}d%{endif}\"",
            "\"${b + 1}  %{if c~}d%{endif}\"",
        ),
        ("a=1.5e-3", "1.5e-3"),
        ("a = x-y", "x-y"),
    ] {
        let result = format(&format!("{text}\n"));
        match result {
            Ok(formatted) => assert_eq!(formatted, format!("a = {expect}\n"), "{text}"),
            // A list cannot have keys; the layout is looked at all the same.
            Err(error) => assert!(text.contains("[for k,v"), "{text}: {error:?}"),
        }
    }
}

#[test]
fn nesting_and_neighbours() {
    check(
        "a \"b\" {\nx = 1\nlong = {\ny = 1\nzz = 2\n}\nlonger = 3\nblock {\nz = [{\na = 1\n}, {\nb = 2\n}]\n}\n\nf = g(\n1,\n2\n)\n}\n",
        "a \"b\" {\n  x = 1\n  long = {\n    y  = 1\n    zz = 2\n  }\n  longer = 3\n  block {\n    z = [{\n      a = 1\n    }, {\n      b = 2\n    }]\n  }\n\n  f = g(\n    1,\n    2\n  )\n}\n",
    );
}

/// The kinds of lines in which public Terraform code comes out otherwise than by `terraform fmt`.
#[test]
fn lines_that_terraform_lays_out_otherwise() {
    // What closes brackets and opens others stands where the line stands that opened the first.
    check(
        "a = merge(b ? {\nx = 1\n} : {\ny = 2\n}, {\nz = 3\n})\nc = (\nd\n) ? [\n1\n] : [\n]\n",
        "a = merge(b ? {\n  x = 1\n} : {\n  y = 2\n}, {\n  z = 3\n})\nc = (\n  d\n) ? [\n  1\n] : [\n]\n",
    );
    check(
        "a = [for x in [\n1\n] : {\nb = x\n} if(\nx > 0\n)]\n",
        "a = [for x in [\n  1\n] : {\n  b = x\n} if(\n  x > 0\n)]\n",
    );
    // Brackets within a heredoc are one level each, and those behind it keep theirs.
    check(
        "l {\na = <<EOT\n  x\n${jsonencode({\nx = [\n1\n]\n})}\nEOT\nb = 1\n}\n",
        "l {\n  a = <<EOT\n  x\n${jsonencode({\n    x = [\n      1\n    ]\n  })}\nEOT\n  b = 1\n}\n",
    );
}

#[test]
fn texts_and_comments_stay() {
    check(
        "# head\n\n/* a\n  b */\na = <<-EOT\n   x   =  1\n  EOT\nbb = 1\nccc = <<X\n  y\nX\n# tail",
        "# head\n\n/* a\n  b */\na   = <<-EOT\n   x   =  1\n  EOT\nbb  = 1\nccc = <<X\n  y\nX\n# tail",
    );
}

#[test]
fn what_is_not_hcl_is_refused() {
    assert_eq!(format("a = \n").expect_err("refused")[0].code, "syntax");
    assert_eq!(format("").expect("nothing"), "");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn formatting_is_idempotent(spaces in prop::collection::vec(0..4_usize, 40)) {
        let words = ["a", "=", "[", "1", ",", "x", ".", "y", "+", "f", "(", "2", ")", "]"];
        let mut text = String::new();
        for (word, n) in words.iter().zip(&spaces) {
            text.push_str(word);
            text.extend(std::iter::repeat_n(' ', *n));
        }
        text.push('\n');
        prop_assert_eq!(format(&text).expect("valid"), "a = [1, x.y + f(2)]\n");
    }
}

/// Expressions of every form; spaces may stand where a `~` does.
const EXPRESSIONS: [&str; 22] = [
    "{~for~=~1~}",
    "{~a~:~-1~,~\"b c\"~=~!true~}",
    "[~1~,~[~2~,~]~]",
    "{~for~k~,~v~in~{~a~=~1~}~:~k~=>~v...~if~v~>~0~}",
    "[~for~x~in~[~1~,~2~]~:~x~*~-x~]",
    "1~+~2~*~3~-~-4~%~3",
    "(~1~+~2~)~*~3",
    "true~&&~!false~||~1~==~2~?~\"a\"~:~\"b\"",
    "\"a ${~1~+~2~} b%{~if~true~}  c %{~else~}d%{~endif~} \"",
    "\"${~{~a~=~1~}.a~}\"",
    "\"x %{~for~i~in~[~1~,~2~]~} ${~i~}%{~endfor~}\"",
    "<<EOT\n  a ${~1~}  \n\tb\nEOT\n",
    "<<-EOT\n    a\n      %{~if~true~}x%{~endif~}\n  EOT\n",
    "[~{~a~=~1~}~,~{~a~=~2~}~][*].a",
    "[[1]][~0~][~0~]",
    "max(~1~,~[~2~,~3~]...~)",
    "{~a~=~{~b~=~1~}~}.a.b",
    "\"$${a} %%{b} \\n \\u00e9\"",
    "format(~\"%s  %s\"~,~1~,~\" x \"~)",
    "-(~-1~)",
    "!(~!true~)",
    "1.5e3",
];

/// The outputs of locals of these texts.
fn outputs(text: &str) -> String {
    let evaluated =
        evaluate(&[("t.hcl", text)]).unwrap_or_else(|found| panic!("{text}\n{found:#?}"));
    let outputs = evaluated.outputs(&Inventory::default());
    let values = outputs
        .values()
        .map(|output| output.value.as_ref().map(ToString::to_string));
    format!("{:?}", values.collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_value_stays_and_once_is_enough(
        chosen in prop::collection::vec((0..EXPRESSIONS.len(), "[ \t]{0,3}", "[ \t]{0,2}", prop::option::of("( |\t)*(#|//) [a-z {\"]{0,5}")), 1..8),
        windows in any::<bool>(),
        blank in 0..3_usize,
    ) {
        let mut text = "topology \"t\" {}\n".to_owned();
        for (n, (at, space, other, comment)) in chosen.iter().enumerate() {
            let mut toggle = 0;
            let expression = EXPRESSIONS[*at].split('~').fold(String::new(), |mut all, piece| {
                if !all.is_empty() {
                    toggle += 1;
                    // Words stay apart.
                    let words = all.ends_with(|c: char| c.is_alphanumeric()) && piece.starts_with(|c: char| c.is_alphanumeric());
                    all.push_str(if words { " " } else { "" });
                    all.push_str(if toggle % 2 == 0 { space } else { other });
                }
                all + piece
            });
            let comment = if expression.ends_with('\n') { "" } else { comment.as_deref().unwrap_or("") };
            let line = if expression.ends_with('\n') { "" } else { "\n" };
            text += &format!("output \"o{n}\"{space}{{\n{other}value{space}={other}{expression}{comment}{line}{space}description=\"d\"\n}}\n{}", "\n".repeat(blank));
        }
        if windows {
            text = text.replace('\n', "\r\n");
        }
        let once = format(&text).expect("it is valid");
        prop_assert_eq!(outputs(&once), outputs(&text), "{:?} became {:?}", text, once);
        prop_assert_eq!(format(&once).expect("it stays valid"), once);
    }
}

/// What our parser takes the library takes, in texts of what they read alike. The library takes more:
/// it reads `ifx` as `if x`, say.
#[test]
fn the_library_takes_what_our_parser_takes() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let damage = (0..4000_usize, 0..3_usize, "[a-z0-9 =(),.+*?:!\\[\\]]{0,2}");
    let mut whole = String::new();
    for (n, expression) in EXPRESSIONS.iter().enumerate() {
        // Empty lines before markers, and `for` as a key, are read otherwise.
        if !expression.contains("EOT") && n > 0 {
            whole += &format!(
                "a{n} = {}\nb \"x\" {{\n  c{n} = 1\n}}\n",
                expression.replace('~', " ")
            );
        }
    }
    for _ in 0..400 {
        let (at, cut, with) = damage.new_tree(&mut runner).expect("a case").current();
        let mut text = whole.clone();
        let at = at % text.len();
        text.replace_range(at..(at + cut).min(text.len()), &with);
        let (ours, theirs) = (format(&text), hcl_edit::parser::parse_body(&text));
        if ours.is_ok() && theirs.is_err() {
            // The library tells of an attribute that is set twice while it parses; here that is told
            // later, with the rest. It nests no deeper than 64 levels.
            let why = theirs
                .as_ref()
                .err()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                why.contains("redefined"),
                "{:?}: {ours:?}, {why}",
                &text[at.saturating_sub(30)..(at + 30).min(text.len())]
            );
        }
    }
}
