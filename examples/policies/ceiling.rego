# What each team may spend on machines in a month, in US dollars. A budget in a topology is its author's;
# this one is not.
package stratiform.ceiling

ceilings := {"platform": 2000, "search": 500}

spent[team] := total if {
	some team, _ in ceilings
	total := sum([machine.monthly |
		some machine in input.desired
		machine.kind == "machine"
		machine.spec.labels.team == team
		machine.monthly != null
	])
}

deny contains msg if {
	some team, most in ceilings
	spent[team] > most
	msg := sprintf("the team %s may spend %v US dollars a month, and this would be %.2f", [team, most, spent[team]])
}

warn contains msg if {
	some team, most in ceilings
	spent[team] > most * 0.8
	spent[team] <= most
	msg := sprintf("the team %s spends %.2f of its %v US dollars a month", [team, spent[team], most])
}

# What belongs to nobody would be under no ceiling.
deny contains {"msg": msg, "addr": machine.addr} if {
	some machine in input.desired
	machine.kind == "machine"
	not ceilings[machine.spec.labels.team]
	msg := sprintf("%s has no label `team` of a team that has a ceiling", [machine.addr])
}
