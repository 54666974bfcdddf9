-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("a router counts the TTL down, and tells who sent a datagram whose TTL is over", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host)
    host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" }
    host:route{ dst = "198.51.100.0/24", via = "192.0.2.11" }
    host:sysctl("net.ipv4.ip_forward", 1)
    host:sysctl("net.ipv4.conf.all.send_redirects", 0)
    host:sysctl("net.ipv4.conf.eth0.send_redirects", 0)
  end,
  shows = { "RFC1812-5.2.7.3-1", "RFC791-3.1-6", "RFC791-3.1-7" },
})
