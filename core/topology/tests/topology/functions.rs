//! Every function's example holds, and what a function refuses is told at the argument.

use strat_topology::{Inputs, SourceFile, Sources, Topology, functions};

fn errors(text: &str) -> Vec<strat_model::Diagnostic> {
    let text = format!("topology \"t\" {{}}\nlocals {{\n  x = {text}\n}}\n");
    let file = SourceFile::new("t.hcl", text);
    let sources = Sources::from_files("/nonexistent", vec![file]);
    match Topology::parse(&sources) {
        Ok(topology) => topology
            .evaluate(&Inputs::default())
            .err()
            .unwrap_or_default(),
        Err(found) => found,
    }
}

fn holds(expression: &str) {
    let found = errors(&format!(
        "({expression}) ? true : tonumber(\"it does not hold\")"
    ));
    assert!(found.is_empty(), "{expression}: {found:#?}");
}

#[test]
fn every_example_holds() {
    let all = functions();
    assert!(all.len() > 80, "{}", all.len());
    for function in all {
        assert!(
            function.example.contains(function.name),
            "{}",
            function.name
        );
        assert!(
            function.signature.starts_with(function.name),
            "{}",
            function.name
        );
        let reads_files = ["sensitive", "rsadecrypt", "templatefile"];
        let reads = function.name.starts_with("file") || reads_files.contains(&function.name);
        if !reads {
            holds(function.example);
        }
    }
}

#[test]
fn more_of_the_same() {
    for expression in [
        "1 + 2 * 3 == 7",
        "7 % 4 == 3",
        "0.1 + 0.2 == 0.3",
        "9007199254740993 + 0 == 9007199254740993",
        "-(3) == -3",
        "!false && true || false",
        "1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3",
        "\"a\" != \"b\"",
        "[for x in [1, 2, 3] : x * 2 if x > 1] == [4, 6]",
        "{ for k, v in { a = 1, b = 2 } : v => k... } == { 1 = [\"a\"], 2 = [\"b\"] }",
        "[{ a = 1 }, { a = 2 }][*].a == [1, 2]",
        "[[1], [2]][*][0] == [1, 2]",
        "[{ a = [{ b = 1 }] }][*].a[*].b == [[1]]",
        "null[*] == []",
        "\"x\"[*] == [\"x\"]",
        "\"${1 + 1}${true}\" == \"2true\"",
        "\"${[1]}\" == [1]",
        "\"%{ if true }yes%{ else }no%{ endif }\" == \"yes\"",
        "\"%{ for x in [1, 2] }${x},%{ endfor }\" == \"1,2,\"",
        "\"a ${~ 1 ~} b\" == \"a1b\"",
        "\"$${x}\" == join(\"\", [\"$\", \"{x}\"])",
        "{ \"a b\" = 1 }[\"a b\"] == 1",
        "{ (\"k\") = 1 }.k == 1",
        "max([3, 9, 4]...) == 9",
        "(true ? 1 : tonumber(\"never evaluated\")) == 1",
        "try([1][5], \"none\") == \"none\"",
        "cidrsubnet(\"fd00::/48\", 16, 1) == \"fd00:0:0:1::/64\"",
        "cidrhost(\"10.0.0.0/8\", -2) == \"10.255.255.254\"",
        "format(\"%5.1f|%-4s|%+d|%q|%%|%v\", 3.14159, \"a\", 5, \"q\", [1]) == \"  3.1|a   |+5|\\\"q\\\"|%|[1]\"",
        "regex(\"(?P<a>[a-z]+)-(?P<n>[0-9]+)\", \"web-12\") == { a = \"web\", n = \"12\" }",
        "regex(\"([a-z]+)-([0-9]+)\", \"web-12\") == [\"web\", \"12\"]",
        "replace(\"a1b22\", \"/[0-9]+/\", \"#\") == \"a#b#\"",
        "yamldecode(\"- 0x10\\n- 1e3\\n- ~\\n- 'yes'\\n- yes\") == [16, 1000, null, \"yes\", \"yes\"]",
        "yamldecode(yamlencode({ a = [{ b = [] }, [1, \"x: y\"]], c = {}, d = null })) == { a = [{ b = [] }, [1, \"x: y\"]], c = {}, d = null }",
        "jsondecode(\"{\\\"a\\\":1.5}\").a == 1.5",
        "pow(2, -1) == 0.5",
        "pow(-1, 9007199254740993) == -1",
        "- 1 == -1",
        "core::max(1, 2) == 2",
        "base64sha256(\"a\") == \"ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=\"",
        "sha512(\"a\") == \"1f40fc92da241694750979ee6cf582f2d5d7d28e18335de05abc54d0560e0f5302860c652bf08d560252aa5e74210546f369fbbbce8c12cfc7957b2652fe9a75\"",
        "uuidv5(\"url\", \"https://www.terraform.io/\") == uuidv5(\"6ba7b811-9dad-11d1-80b4-00c04fd430c8\", \"https://www.terraform.io/\")",
        "cidrsubnets(\"10.1.0.0/16\", 4, 4, 8, 4) == [\"10.1.0.0/20\", \"10.1.16.0/20\", \"10.1.32.0/24\", \"10.1.48.0/20\"]",
        "cidrsubnets(\"fd00:fd12:3456:7890::/56\", 16, 16, 16, 32) == [\"fd00:fd12:3456:7800::/72\", \"fd00:fd12:3456:7800:100::/72\", \"fd00:fd12:3456:7800:200::/72\", \"fd00:fd12:3456:7800:300::/88\"]",
        "csvdecode(\"a,b\\r\\n\\\"x, \\\"\\\"y\\\"\\\"\\\",1\\r\\n\")[0].a == \"x, \\\"y\\\"\"",
        "csvdecode(\"a,b\\n\") == []",
        "formatdate(\"EEEE, DD-MMM-YY hh:mm:ss ZZZ\", \"2018-01-02T23:12:01Z\") == \"Tuesday, 02-Jan-18 23:12:01 UTC\"",
        "formatdate(\"EEE, DD MMM YYYY hh:mm:ss ZZZ\", \"2018-01-02T23:12:01-08:00\") == \"Tue, 02 Jan 2018 23:12:01 -0800\"",
        "formatdate(\"HH:mmaa, h 'o''clock' ''\", \"2018-01-02T00:12:01.5+05:30\") == \"12:12am, 0 o'clock '\"",
        "formatdate(\"YYYY-MM-DD'T'hh:mm:ssZ\", \"2018-01-02T23:12:01+05:30\") == \"2018-01-02T23:12:01+05:30\"",
        "timeadd(\"2017-11-22T00:00:00Z\", \"10m\") == \"2017-11-22T00:10:00Z\"",
        "timeadd(\"2017-11-22T23:59:59-05:00\", \"-1.5h0.5s\") == \"2017-11-22T22:29:58-05:00\"",
        "timecmp(\"2017-11-22T00:00:00Z\", \"2017-11-22T01:00:00Z\") == -1",
        "timecmp(\"2017-11-22T01:00:00Z\", \"2017-11-22T00:00:00-01:00\") == 0",
        "textencodebase64(\"Hello World\", \"UTF-16LE\") == \"SABlAGwAbABvACAAVwBvAHIAbABkAA==\"",
        "textdecodebase64(textencodebase64(\"héllo€\", \"windows-1252\"), \"windows-1252\") == \"héllo€\"",
        "textencodebase64(\"é\", \"ISO-8859-1\") == \"6Q==\"",
        "textdecodebase64(\"/v8AYQ==\", \"UTF-16\") == \"a\"",
        "textdecodebase64(textencodebase64(\"日本\", \"Shift_JIS\"), \"shift_jis\") == \"日本\"",
        "basename(\"a/b/\") == \"b\" && basename(\"\") == \".\" && basename(\"/\") == \"/\"",
        "dirname(\"a/b/\") == \"a/b\" && dirname(\"a\") == \".\" && dirname(\"/a\") == \"/\" && dirname(\"a/./x/../b\") == \"a\"",
        "matchkeys([\"i-1\", \"i-2\"], [\"us\", 1], [\"1\"]) == [\"i-2\"]",
        "(true ? [1, 2] : [\"a\"]) == [\"1\", \"2\"]",
        "(true ? { a = 1 } : { b = \"x\" }) == { a = \"1\" }",
        "(true ? { a = [1] } : { a = [\"x\"] }) == { a = [\"1\"] }",
        "(true ? tolist([1, 2]) : [3, \"a\"]) == [\"1\", \"2\"]",
        "[for k, v in toset([\"b\", \"a\"]) : \"${k}${v}\"] == [\"aa\", \"bb\"]",
        "type(setunion([1], [\"a\"])) == \"set\"",
        "join(\",\", [\"a\"], [], [\"b\", 1]) == \"a,b,1\"",
        "length(\"👨‍👩‍👧e\\u0301\") == 2",
        "title(\"o'neil ﬁne\") == \"O'Neil ﬁne\"",
        "regexall(\"\\\\p{Greek}+\", \"abγδ\") == [\"γδ\"]",
        "regexall(\"\\\\p{^L}\", \"a1é\") == [\"1\"]",
        "regexall(\"[\\\\d\\\\]\\\\-x]+\", \"a1-]xé٣\") == [\"1-]x\"]",
        "regexall(\"\\\\bé|\\\\Bc\", \"é bc\") == [\"c\"]",
        "regex(\"a{,2}\", \"a{,2}\") == \"a{,2}\"",
        "regex(\"\\\\101\\\\x{42}\\\\x43\", \"ABC\") == \"ABC\"",
        "regex(\"[[:alpha:]&&]+\", \"1a&\") == \"a&\"",
        "jsonencode(\"<&>\") == \"\\\"\\\\u003c\\\\u0026\\\\u003e\\\"\"",
        "yamldecode(yamlencode({ a = \"x\\n\\ny\\n\\n\", b = [[\" x\\ny\"], { c = \"\\n\" }], d = \"p \\nq\" })) == { a = \"x\\n\\ny\\n\\n\", b = [[\" x\\ny\"], { c = \"\\n\" }], d = \"p \\nq\" }",
        "(- 2) + 3 == 1",
        "5 - - 1 == 6",
        "79228162514264337593543950335 + 1 == 79228162514264337593543950336",
        "\"x${123456789012345678901234567890123.0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001}\" == \"x123456789012345678901234567890123.0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001\"",
        "jsonencode([1e21, 0.1, -12345678901234567890.5]) == \"[1000000000000000000000,0.1,-12345678901234567890.5]\"",
        "jsondecode(\"123456789012345678901234567890.125\") == 123456789012345678901234567890.125",
        "sum([for i in range(1, 8) : 1 / 7]) == 1",
        "tostring(2 / 3 * 3) == \"2\"",
        "parseint(\"-zZ\", 62) == -2231",
        "format(\"%e|%E|%.3g|%G|%x|%X|%#x\", 1234.5678, 0.00012, 1234567, 1e-7, 255, 48879, -255) == \"1.234568e+03|1.200000E-04|1.23e+06|1E-07|ff|BEEF|-0xff\"",
        "format(\"%[2]s %[1]s\", \"a\", \"b\") == \"b a\"",
        "format(\"%*d|%-*d|%.*f\", 5, 42, 4, 7, 1, 2.25) == \"   42|7   |2.2\"",
        "format(\"%.2q|%#v|%v\", \"abc\", \"a\", [1, null]) == \"\\\"ab\\\"|\\\"a\\\"|[1,null]\"",
        "format(\"%x\", 340282366920938463463374607431768211456) == \"100000000000000000000000000000000\"",
        "format(\"%08.3f|%+.0f|%8d|%-8d|%08d\", -3.14159, 2.5, -42, -42, -42) == \"-003.142|+2|     -42|-42     |-0000042\"",
        "range(5, 1, -2) == [5, 3]",
        "length(\"日本\") == 2",
        "substr(\"日本語\", -2, -1) == \"本語\"",
        "lookup({ a = 1 }, \"a\") == 1",
        "<<-EOT\n    a\n      b\n    EOT\n == \"a\\n  b\\n\"",
    ] {
        holds(expression);
    }
}

#[test]
fn what_is_refused() {
    for (expression, code) in [
        ("upper([1])", "bad_argument"),
        ("upper()", "wrong_arguments"),
        ("uper(\"a\")", "unknown_function"),
        ("timestamp()", "unknown_function"),
        ("1 / 0", "division_by_zero"),
        ("pow(10, 9000) * pow(10, 9000)", "number_range"),
        ("tonumber(\"1e20000\")", "bad_argument"),
        ("tonumber(\"1e99999999999999999999\")", "bad_argument"),
        ("pow(10, 20000)", "bad_argument"),
        ("pow(-8, 1 / 3)", "bad_argument"),
        ("pow(0, -1)", "bad_argument"),
        ("log(-1, 2)", "bad_argument"),
        ("parseint(\"9\", 8)", "bad_argument"),
        ("format(\"%d\", 1.5)", "bad_argument"),
        ("[1][1]", "index_out_of_range"),
        ("{ a = 1 }.b", "missing_key"),
        ("\"a\" + 1", "wrong_type"),
        ("\"${[1]}x\"", "wrong_type"),
        ("{ for x in [1, 1] : x => x }", "duplicate_key"),
        ("regex(\"(\", \"a\")", "bad_argument"),
        ("regex(\"a**\", \"a\")", "bad_argument"),
        ("regex(\"(?x)a\", \"a\")", "bad_argument"),
        ("regex(\"[z-a]\", \"a\")", "bad_argument"),
        ("true ? 1 : true", "wrong_type"),
        ("false ? [1] : { a = 1 }", "wrong_type"),
        ("toset([\"a\"])[0]", "wrong_type"),
        ("concat(toset([\"a\"]), [\"b\"])", "bad_argument"),
        ("tolist([1, [2]])", "bad_argument"),
        ("coalesce(1, true)", "bad_argument"),
        ("lookup(tomap({ a = 1 }), \"b\", [1])", "bad_argument"),
        ("can()", "wrong_arguments"),
        ("list(1)", "unknown_function"),
        ("uuid()", "unknown_function"),
        (
            "formatdate(\"X\", \"2018-01-02T23:12:01Z\")",
            "bad_argument",
        ),
        (
            "formatdate(\"'a\", \"2018-01-02T23:12:01Z\")",
            "bad_argument",
        ),
        ("timeadd(\"2018-13-02T23:12:01Z\", \"1h\")", "bad_argument"),
        ("timeadd(\"2018-01-02 23:12:01Z\", \"1h\")", "bad_argument"),
        ("timeadd(\"2018-01-02T23:12:01Z\", \"1x\")", "bad_argument"),
        ("csvdecode(\"\")", "bad_argument"),
        ("csvdecode(\"a,a\\n1,2\")", "bad_argument"),
        ("csvdecode(\"a,b\\n1\")", "bad_argument"),
        ("textencodebase64(\"é\", \"us-ascii\")", "bad_argument"),
        ("textencodebase64(\"a\", \"klingon\")", "bad_argument"),
        ("textdecodebase64(\"AGE=\", \"klingon\")", "bad_argument"),
        ("cidrsubnets(\"10.0.0.0/30\", 1, 1, 1)", "bad_argument"),
        ("uuidv5(\"nowhere\", \"x\")", "bad_argument"),
        ("can(1, 2)", "wrong_arguments"),
        ("regex(\"a\", \"b\")", "bad_argument"),
        ("file(\"missing\")", "bad_file"),
        ("setproduct(range(2000), range(2000))", "bad_argument"),
        ("range(2000000)", "bad_argument"),
        ("yamldecode(\"{\")", "bad_argument"),
        ("one([1, 2])", "bad_argument"),
        ("cidrsubnet(\"10.0.0.0/8\", 30, 0)", "bad_argument"),
        ("cidrsubnet(\"10.0.0.0/8\", 1, 2)", "bad_argument"),
    ] {
        let found = errors(expression);
        let codes: Vec<&str> = found.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, [code], "{expression}: {found:#?}");
        assert!(!found[0].labels.is_empty(), "{expression}");
    }
}
