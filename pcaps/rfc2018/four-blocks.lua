-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("without time stamps there is room for four blocks, the latest first", {
  sysctl = { ["net.ipv4.tcp_comp_sack_nr"] = 0 },
  program = function(conn, program) program:at "50ms" end,
  shows = { "RFC2018-4-4", "RFC2018-3-1" },
})
