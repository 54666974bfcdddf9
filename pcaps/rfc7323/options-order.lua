-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("options in any order, with fillers between them", {
  program = function(conn, _, t) t:is((conn:recv()), "hello") end,
  shows = { "RFC9293-MUST-5", "RFC9293-MUST-6", "RFC7323-3.2-5" },
})
