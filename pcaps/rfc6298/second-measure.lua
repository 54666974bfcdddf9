-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("a longer round trip: the time-out follows", {
  sysctl = { ["net.ipv4.tcp_early_retrans"] = 0 },
  program = function(conn, program)
    program:at "1s"
    conn:send "first"
    program:at "2s"
    conn:send "second"
  end,
  shows = { "RFC6298-2-3", "RFC6298-2-5", "RFC6298-5-6" },
})
