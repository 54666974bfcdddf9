-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("a SYN to a broadcast or multicast address, is not answered", {
  silent = true,
  shows = { "RFC9293-MUST-57" },
})
