-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("nothing is kept of a SYN; its cookie brings back the peer's MSS, from a table", {
  sysctl = { ["net.ipv4.tcp_syncookies"] = 2 },
  program = function(conn, program, t, server)
    t:is({ conn:info().options & 6, conn:option "TCP_MAXSEG" }, { 0, 536 })
    program:at "5010ms"
    conn:send(("x"):rep(536))
    program:at "5030ms"
    t:is(select(2, conn:try "recv"), "ECONNRESET")
  end,
  check = function(host, t)
    t:is({ host:counter "TcpExtSyncookiesSent", host:counter "TcpExtSyncookiesRecv" }, { 1, 1 })
  end,
  shows = { "RFC4987-3.6-1", "RFC4987-3.6-2" },
})
