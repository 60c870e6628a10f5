//! The map of a topology, in each of its forms.

use serde_json::json;

use crate::support::Shop;

#[test]
fn a_topology_is_drawn_with_what_a_plan_changes() {
    let shop = Shop::new();
    let graph = shop.json(&["graph", "--json"]);
    assert_eq!(graph["topology"], json!("shop"));
    assert_eq!(graph["sites"]["east"]["provider"], json!("sim"));
    let nodes = graph["nodes"].as_array().expect("nodes");
    let web = nodes.iter().find(|node| node["addr"] == "machines.web@dc1");
    let web = web.unwrap_or_else(|| panic!("{graph:#}"));
    let zones = web["zones"].as_object().expect("zones").values();
    let spread: u64 = zones.filter_map(serde_json::Value::as_u64).sum();
    assert_eq!(web["count"], json!(spread), "{web:#}");
    assert_eq!(web["changes"], json!({ "create": spread }));
    assert_eq!(web["lies_in"], json!(["subnet.app@dc1"]));
    let needs = graph["needs"].as_array().expect("needs");
    let need = json!({ "from": "subnet.app@dc1", "to": "network.core@dc1" });
    assert!(needs.contains(&need), "{needs:#?}");
    let admits = graph["admits"].as_array().expect("admits");
    let pg = admits.iter().find(|one| one["rule"] == "postgres");
    let pg = pg.unwrap_or_else(|| panic!("{admits:#?}"));
    assert_eq!(pg["ports"], json!(["5432-5433"]));
    assert_eq!(pg["from"], json!(["machines.web@dc1"]));
    let db = json!(["machine.db[\"primary\"]@dc1", "machine.db[\"standby\"]@dc1"]);
    assert_eq!(pg["to"], db);

    let page = shop.ok(&["graph", "--format", "html"]).stdout;
    for said in [
        "<h1>shop</h1>",
        "3 sites, 8 machines",
        "<h2>dc1<small>sim \u{b7} dc1</small>",
        "<h5>rack1<small></small></h5>",
        "machine.db[&quot;primary&quot;]",
        "\u{2190} internet</span> tcp 80, 443",
        "data-from=\"machines.web\" data-to=\"machine.db\"",
        "<b>+</b> 33 to create",
    ] {
        assert!(page.contains(said), "no `{said}` in\n{page}");
    }
    // It loads nothing, and nothing of the topology gets out of its place.
    for word in ["http://", "https://", "<link", "src=", "url("] {
        assert!(!page.contains(word), "{word} in\n{page}");
    }
    let mermaid = shop.ok(&["graph", "--format", "mermaid"]).stdout;
    for said in [
        "flowchart LR\n",
        "[\"machines.web x6 (create)\"]:::create",
        "((\"internet\"))",
        "-. \"tcp 80, 443\" .->",
        "classDef create",
    ] {
        assert!(mermaid.contains(said), "no `{said}` in\n{mermaid}");
    }
    let dot = shop.ok(&["graph"]).stdout;
    let node = "\"machines.web@dc1\" [label = \"machines.web x6 (create)\", color = \"#1a7f37\"";
    assert!(dot.contains(node), "{dot}");

    shop.ok(&["apply", "--yes"]);
    let page = shop.ok(&["graph", "--format", "html"]).stdout;
    assert!(page.contains("<li>nothing to change</li>"), "{page}");
    assert!(!page.contains("class=\"badge"), "{page}");
    // What goes for good is on the map of what is to be, where it was.
    shop.edit(
        "bucket \"assets\" {\n  site       = site.east\n  versioning = true\n}",
        "",
    );
    shop.edit("cpu       = 8", "cpu       = 12");
    let page = shop.ok(&["graph", "--format", "html"]).stdout;
    for said in [
        "<h3>Goes</h3>",
        "<li class=\"delete\"",
        "<span class=\"badge delete\">\u{2212} delete</span>",
        "class=\"card update\"",
    ] {
        assert!(page.contains(said), "no `{said}` in\n{page}");
    }
}
