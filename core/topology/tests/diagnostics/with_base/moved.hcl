moved {
  from = volume.gone
  to   = volume.nowhere
}
moved {
  from = "volume.data"
  to   = volume.data
}
moved {
  from = machines.old
  to   = machine.db
}
moved {
  from = volume.one
  to   = bucket.two
}
moved {
  from = volume.a
  to   = volume.b
}
moved {
  from = volume.b
  to   = volume.a
}
moved {
  from = site.far
  to   = volume.data
}
moved {
  from = topology.before
  to   = topology.elsewhere
}
moved {
  from = site.dc0
}
moved {
  from = network.n
  to   = network.other
}
moved {
  from = firewall.old
  to   = firewall.f
}
moved {
  from = firewall.old
  to   = firewall.elsewhere
}
moved {
  from = firewall.older
  to   = firewall.f
}
