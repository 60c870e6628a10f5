# What is labelled `data = "eu"` stays at sites that are labelled `residency = "eu"`.
package stratiform.residency

# A site without the label is not in the EU: `not in_eu(…)` holds for it, too. A comparison such as
# `site.labels.residency != "eu"` would be undefined there, and deny nothing.
in_eu(name) if input.sites[name].labels.residency == "eu"

deny contains {"msg": msg, "addr": thing.addr} if {
	some thing in input.desired
	thing.spec.labels.data == "eu"
	not in_eu(thing.site)
	msg := sprintf("%s holds data of the EU, and the site %s is not labelled `residency = \"eu\"`", [thing.addr, thing.site])
}
