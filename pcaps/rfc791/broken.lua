-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("what is no IPv4 packet for us ends in silence", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  silent = true,
  check = function(host, t)
    t:is(host:counter "IpInReceives", 8)
    t:is(host:counter "IpInDelivers", 0)
  end,
  shows = { "RFC1122-3.2.1.1-1", "RFC1122-3.2.1.2-1", "RFC1122-3.2.1.3-3" },
})
