-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("with time stamps there is room for three blocks, the latest first", {
  sysctl = { ["net.ipv4.tcp_comp_sack_nr"] = 0 },
  program = function(conn, program) program:at "40ms" end,
  shows = { "RFC2018-4-5", "RFC2018-4-6", "RFC2018-4-7" },
})
