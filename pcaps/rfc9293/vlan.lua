-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("a connection on a VLAN", {
  host = { addr = "198.51.100.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host)
    host:ip "link add link eth0 name eth0.5 type vlan id 5"
    host:ip "link set eth0.5 up"
    host:ip "addr add 192.0.2.1/24 dev eth0.5"
    host:ip "neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth0.5"
  end,
  program = function(host, _, t)
    local server = host:socket "tcp"
    server:listen(80)
    t:is(#server:accept():recv(), 10)
  end,
})
