-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.client("a mark is answered with CWR on the next new data", {
  sysctl = { ["net.ipv4.tcp_ecn"] = 1 },
  program = function(client, program)
    client:connect("192.0.2.9", 4000)
    for i, word in ipairs { "first", "second", "third" } do
      program:at(i * 20 .. "ms")
      client:send(word)
    end
  end,
  shows = { "RFC3168-6.1.2-4", "RFC3168-6.1.1-5", "RFC3168-5-1" },
})
