-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"
local net = require "net"

case.capture("three requests, a second apart, and then nothing for a minute", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  program = function(host, _, t)
    local socket = host:socket "udp"
    socket:bind(5000)
    socket:sendto("hello", "192.0.2.9", 7)
    net.sleep "4s"
    t:is(host:drops "NEIGH_FAILED", 1)
  end,
  after = "1min",
  shows = "RFC1122-2.3.2.1-2",
})
