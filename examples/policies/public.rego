# No machine that the internet reaches, unless its label `exposed` says who answers for it.
package stratiform.public

# The firewalls that admit the internet to any port.
open_firewalls contains firewall.addr if {
	some firewall in input.desired
	firewall.kind == "firewall"
	some rule in firewall.spec.rules
	rule.direction == "ingress"
	"internet" in rule.peers
}

deny contains {"msg": msg, "addr": machine.addr} if {
	some machine in input.desired
	machine.kind == "machine"
	machine.public_ip
	some firewall in machine.spec.firewalls
	firewall in open_firewalls
	not machine.spec.labels.exposed
	msg := sprintf("%s is open to the internet by %s and has no label `exposed`", [machine.addr, firewall])
}
