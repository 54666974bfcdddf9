-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.client("the SYN is signed, with AES-128-CMAC, and only a SYN,ACK that is signed too is taken", {
  program = function(client, program, t)
    client:option("TCP_AO_ADD_KEY",
      { addr = "192.0.2.9", key = "secret", alg = "cmac(aes128)", sndid = 5, rcvid = 7 })
    client:connect("192.0.2.9", 4000)
    client:send "hello"
    program:at "40ms"
    t:is(select(2, client:try "recv"), "ECONNRESET")
  end,
  check = function(host, t)
    t:is({ host:counter "TcpExtTCPAORequired", host:counter "TcpExtTCPAOBad" }, { 1, 1 })
  end,
  shows = "RFC5925-5.2-1",
})
