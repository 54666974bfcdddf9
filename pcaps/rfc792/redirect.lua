-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("who can reach the next router by itself gets a redirect", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host)
    host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" }
    host:route{ dst = "198.51.100.0/24", via = "192.0.2.11" }
    host:sysctl("net.ipv4.ip_forward", 1)
    host:neigh{ addr = "192.0.2.11", mac = "02:00:00:00:00:0b" }
  end,
  shows = { "RFC1812-5.2.7.2-1", "RFC792-Redirect-1" },
})
