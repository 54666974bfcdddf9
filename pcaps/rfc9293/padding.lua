-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("padding and reserved bits do not count", {
  program = function(conn, _, t) t:is((conn:recv()), "hello") end,
  shows = "RFC9293-3.1-2",
})
