-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("too big for the next link and not to be fragmented: the sender learns its MTU", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host)
    host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" }
    host:route{ dst = "198.51.100.0/24", via = "192.0.2.11" }
    host:sysctl("net.ipv4.ip_forward", 1)
    host:route{ dst = "198.51.100.0/25", via = "192.0.2.11", mtu = 1280 }
  end,
  shows = { "RFC1191-4-1", "RFC791-3.2-1", "RFC6864-4.3-2" },
})
