-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("the reset of a listener with a key is signed, for who knows it", {
  listen = { TCP_MD5SIG = { addr = "192.0.2.9", key = "secret" } },
  shows = "RFC2385-2.0-1",
})
