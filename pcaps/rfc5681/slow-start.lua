-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

local net = require "net"

talk.server("slow start: what is acknowledged goes again and as much more", {
  sysctl = { ["net.ipv4.tcp_congestion_control"] = "reno", ["net.ipv4.tcp_frto"] = 0 },
  program = function(conn, program)
    conn:option("TCP_NODELAY", 1)
    program:at "1s"
    conn:send(net.pattern(1, 16000))
  end,
  shows = { "RFC2525-2.1-1" },
})
