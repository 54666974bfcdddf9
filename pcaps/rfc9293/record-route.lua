-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("a Record Route of the SYN goes back with the answer", {
  shows = { "RFC9293-MAY-11", "RFC1122-4.2.3.8-3" },
})
