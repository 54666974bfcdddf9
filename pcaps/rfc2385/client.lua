-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.client("the SYN is signed, and only a SYN,ACK that is signed too is taken", {
  program = function(client, program, t)
    client:option("TCP_MD5SIG", { addr = "192.0.2.9", key = "secret" })
    client:connect("192.0.2.9", 4000)
    client:send "hello"
    program:at "40ms"
    t:is(select(2, client:try "recv"), "ECONNRESET")
  end,
  check = function(host, t)
    t:is({ host:counter "TcpExtTCPMD5NotFound", host:counter "TcpExtTCPMD5Failure" }, { 1, 1 })
  end,
  shows = "RFC2385-2.0-1",
})
