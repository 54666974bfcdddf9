-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("an odd MTU: pieces of the largest multiple of 8, each with the TOS", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01", mtu = 577 },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  program = function(host)
    local socket = host:socket "udp"
    socket:bind(5000)
    socket:option("IP_TOS", 0x08)
    socket:sendto(require "net".pattern(1, 1000), "192.0.2.9", 7)
  end,
  shows = { "RFC791-3.2-4", "RFC791-3.2-11" },
})
