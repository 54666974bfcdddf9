-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("an ACK of what is no cookie, or of an old one, gets a reset", {
  sysctl = { ["net.ipv4.tcp_syncookies"] = 2 },
  check = function(host, t)
    t:is({ host:counter "TcpExtSyncookiesFailed", host:counter "TcpExtSyncookiesRecv" }, { 2, 0 })
  end,
})
