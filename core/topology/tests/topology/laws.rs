//! What holds for every topology.

use proptest::prelude::*;

use crate::support::{evaluate, intent_text};

const BLOCKS: [&str; 12] = [
    "topology \"t\" { labels = { env = local.env } }\n",
    "locals {\n  env = var.env\n}\n",
    "variable \"env\" { default = \"test\" }\n",
    "site \"a\" { provider = \"sim\" }\n",
    "site \"b\" {\n  provider = \"sim\"\n  zones = [\"z1\", \"z2\"]\n}\n",
    "network \"n\" {\n  cidr = \"10.0.0.0/16\"\n  site_prefix = 20\n  sites = [site.b, site.a]\n}\n",
    "subnet \"s\" {\n  network = network.n\n  newbits = 3\n}\n",
    "firewall \"f\" {\n  network = network.n\n  ingress \"b\" {\n    from = [firewall.g, firewall.f]\n  }\n  ingress \"a\" {\n    from = [\"internet\"]\n  }\n}\n",
    "firewall \"g\" {\n  network = network.n\n}\n",
    "machines \"w\" {\n  for_each = [\"y\", \"x\"]\n  count = 2\n  cpu = 1\n  memory = \"1GiB\"\n  image = \"debian-12\"\n  subnet = subnet.s\n  firewalls = [firewall.g, firewall.f]\n}\n",
    "machine \"m\" {\n  count = 2\n  cpu = machines.w[\"x\"].cpu\n  memory = \"1GiB\"\n  image = \"debian-12\"\n  subnet = subnet.s\n  depends_on = [machines.w]\n}\n",
    "volume \"v\" {\n  count = 2\n  size = \"1GiB\"\n  attach = machine.m[count.index]\n}\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_never_matters(
        order in Just((0..BLOCKS.len()).collect::<Vec<_>>()).prop_shuffle(),
        split in 0..BLOCKS.len(),
    ) {
        let whole = evaluate(&[("t.hcl", &BLOCKS.concat())]).expect("it evaluates");
        let part = |numbers: &[usize]| numbers.iter().map(|n| BLOCKS[*n]).collect::<String>();
        let (first, second) = (part(&order[..split]), part(&order[split..]));
        let shuffled = evaluate(&[("a.hcl", &first), ("b.hcl", &second)]).expect("it evaluates");
        prop_assert_eq!(intent_text(&whole), intent_text(&shuffled));
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        // It must not panic.
        let _ = evaluate(&[("t.hcl", &text), ("t.yaml", &text), ("t.json", &text)]);
    }

    #[test]
    fn any_damage_is_answered(at in 0..600_usize, with in "[\\PC]{0,3}") {
        let mut text = BLOCKS.concat();
        let at = at.min(text.len());
        text.replace_range(at..(at + 1).min(text.len()), &with);
        let _ = evaluate(&[("t.hcl", &text)]);
    }

    /// Whatever is written of a number comes out of it again, and arithmetic undoes itself.
    #[test]
    fn numbers_lose_nothing(
        a in "-?[1-9][0-9]{0,50}\\.[0-9]{0,50}[1-9]",
        b in "-?[1-9][0-9]{0,20}(\\.[0-9]{0,20}[1-9])?",
    ) {
        let text = format!(
            "topology \"t\" {{}}\nlocals {{\n  a = {a}\n  b = tonumber(\"{b}\")\n}}\noutput \"r\" {{\n  value = [\n    \"${{local.a}}|\" == \"{a}|\",\n    jsonencode([local.a]) == \"[{a}]\",\n    jsondecode(\"{a}\") == local.a,\n    local.a + local.b - local.b == local.a,\n    local.a / local.b * local.b == local.a,\n    -(-local.a) == local.a,\n    floor(local.a) <= local.a && local.a <= ceil(local.a),\n    local.a == floor(local.a / local.b) * local.b + (local.a - floor(local.a / local.b) * local.b),\n  ]\n}}\n"
        );
        let evaluated = evaluate(&[("t.hcl", &text)]).expect("it evaluates");
        let outputs = evaluated.outputs(&strat_model::Inventory::default());
        let held = outputs["r"].value.as_ref().expect("a value").to_string();
        prop_assert!(!held.contains("false"), "{held}");
    }
}
