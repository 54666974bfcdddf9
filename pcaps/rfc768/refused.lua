-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("an error about a datagram reaches its socket", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  program = function(host, _, t)
    local socket = host:socket "udp"
    socket:connect("192.0.2.9", 5000)
    socket:send "hello"
    t:is(select(2, socket:try "recv"), "ECONNREFUSED")
  end,
  shows = "RFC1122-4.1.3.3-1",
})
