-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("a segment that came in two fragments, the last one first", {
  program = function(conn, _, t) t:is((conn:recv()), ("0123456789"):rep(4)) end,
  shows = { "RFC1122-3.2.1.4-1" },
})
