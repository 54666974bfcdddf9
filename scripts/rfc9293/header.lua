-- SPDX-License-Identifier: MIT
-- The header (RFC 9293 3.1, 3.2): checksums, the data offset, options in every shape, and what must
-- never be there. Lists of options that lie are the classic way into a stack, so each is sent in a SYN
-- and in a connection.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- Checksums ---------------------------------------------------------------------------------------

-- The sum over pseudo-header and segment as RFC 9293 3.1 says it, computed here from the bytes.
local function sum(bytes, ip)
  local a = { ip.src:match "(%d+)%.(%d+)%.(%d+)%.(%d+)" }
  local b = { ip.dst:match "(%d+)%.(%d+)%.(%d+)%.(%d+)" }
  local pseudo = string.char(a[1], a[2], a[3], a[4], b[1], b[2], b[3], b[4], 0, 6) ..
    (">I2"):pack(#bytes)
  local all = pseudo .. bytes .. (#bytes % 2 == 1 and "\0" or "")
  local total = 0
  for i = 1, #all, 2 do total = total + (">I2"):unpack(all, i) end
  while total > 0xffff do total = (total & 0xffff) + (total >> 16) end
  return total
end

local function segment_bytes(frame)
  return frame:bytes():sub(15 + frame.ip.ihl * 4, 14 + frame.ip.len)
end

local function good(frame) return sum(segment_bytes(frame), frame.ip) == 0xffff end

tap.test("what is sent has a good checksum: SYN,ACK, data of even and odd length, ACK, FIN", function(t)
  local host, peer = tcp.listen()
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  t:ok(good(peer:expect "S. 0:0(0) ack 1"), "SYN,ACK")
  peer:send ". 1:1(0) ack 1"
  peer:fresh { port = 4001, to = 80 }
  local _, other, conn = tcp.passive()
  conn:option("TCP_NODELAY", 1)
  conn:send "even"
  t:shows("RFC9293-MUST-2", t:ok(good(other:expect "P. 1:5(4) ack 1")))
  conn:send "odd"
  t:shows("RFC9293-3.1-4", t:ok(good(other:expect "P. 5:8(3) ack 1")))
  other:send "P. 1:2(1) ack 8"
  t:ok(good(other:expect ". 8:8(0) ack 2"), "ACK")
  conn:shutdown "wr"
  t:ok(good(other:expect "F. 8:8(0) ack 2"), "FIN")
  t:is(host:counter "TcpInCsumErrors", 0)
end)

tap.test("resets, of a connection and of none, have good checksums", function(t)
  local host, peer = tcp.state "CLOSED"
  peer:send "S 0:0(0)"
  t:ok(good(peer:expect "R. 0:0(0) ack 1"))
  peer:send ". 5:5(0) ack 77"
  t:shows("RFC9293-MUST-2", t:ok(good(peer:expect "R 77:77(0)")))
  t:is(host:counter "TcpOutRsts", 2)
end)

for name, change in pairs {
  ["one more"] = function(c) return c + 1 end,
  ["zero"] = function() return 0 end,
  ["its bytes swapped"] = function(c) return (c >> 8) | (c & 0xff) << 8 end,
  ["its complement"] = function(c) return ~c & 0xffff end,
} do
  tap.test("a checksum that is wrong, " .. name .. ": dropped and counted, the next one is taken", function(t)
    local host, peer, conn = tcp.passive()
    local segment = peer:segment "P. 1:6(5) ack 1"
    segment.ip.src, segment.ip.dst = "192.0.2.9", "192.0.2.1"
    segment.tcp.sport, segment.tcp.dport = 4000, 80
    local right = net.parse(segment:bytes(), "ip").tcp.checksum
    segment.tcp.checksum = change(right) & 0xffff
    if segment.tcp.checksum == right then segment.tcp.checksum = right ~ 1 end
    peer:send(segment)
    t:shows("RFC9293-MUST-3", peer:expect_nothing { during = "100ms" })
    t:is(host:counter "TcpInCsumErrors", 1)
    t:is(host:counter "TcpInErrs", 1)
    peer:send "P. 1:6(5) ack 1"
    peer:expect ". 1:1(0) ack 6"
    t:is(tcp.got(conn), net.pattern(1, 5))
  end)
end

tap.test("the addresses are part of the sum: a segment that went astray is dropped", function(t)
  local host, peer, conn = tcp.passive()
  local segment = peer:segment "P. 1:6(5) ack 1"
  segment.ip.src, segment.ip.dst = "192.0.2.9", "192.0.2.2"
  segment.tcp.sport, segment.tcp.dport = 4000, 80
  segment.tcp.checksum = net.parse(segment:bytes(), "ip").tcp.checksum -- right for 192.0.2.2
  segment.ip.dst = "192.0.2.1"
  segment.ip.checksum = nil
  peer:send(segment)
  t:shows("RFC9293-3.1-4", peer:expect_nothing { during = "100ms" })
  t:is({ host:counter "TcpInCsumErrors", #tcp.got(conn) }, { 1, 0 })
end)

-- Data offset -------------------------------------------------------------------------------------

for doff = 0, 15 do
  local bad = doff < 5 or doff > 6
  tap.test(("data offset %d in a segment of 24 octets: %s"):format(doff, bad and "dropped" or "taken"),
    function(t)
      local host, peer, conn = tcp.passive()
      local segment = peer:segment "P. 1:5(4) ack 1 win 65535"
      segment.tcp.doff = doff
      if doff == 6 then segment = peer:segment(". 1:1(0) ack 1 win 65535 <nop,nop,nop,nop>") end
      peer:send(segment)
      if bad then
        t:shows("RFC9293-3.1-1", peer:expect_nothing { during = "100ms" })
        -- Linux counts an error only where the header says that it is no header.
        t:is({ host:counter "TcpInErrs", #tcp.got(conn) }, { doff < 5 and 1 or 0, 0 })
      else
        if doff == 5 then peer:expect ". 1:1(0) ack 5" end
        peer:expect_nothing { during = "100ms" }
        t:is({ host:counter "TcpInErrs", #tcp.got(conn) }, { 0, doff == 5 and 4 or 0 })
      end
    end)
end

tap.test("data offsets that lie in a SYN: no request, no answer", function(t)
  local host, peer = tcp.listen()
  for doff = 0, 15 do
    if doff < 5 or doff > 5 then
      local segment = peer:segment "S 0:0(0) win 65535"
      segment.tcp.doff = doff
      peer:send(segment)
    end
  end
  t:shows("RFC9293-3.1-1", peer:expect_nothing { during = "100ms" })
  t:is({ host:counter "TcpInErrs", host:counter "TcpPassiveOpens" }, { 5, 0 })
end)

tap.test("an IP datagram that ends within the TCP header is dropped", function(t)
  local host, peer = tcp.listen()
  local whole = peer:segment "S 0:0(0) win 65535"
  whole.ip.src, whole.ip.dst, whole.tcp.sport, whole.tcp.dport = "192.0.2.9", "192.0.2.1", 4000, 80
  local bytes = whole:bytes():sub(21)
  for _, len in ipairs { 0, 1, 7, 8, 13, 19 } do
    peer:send(net.ip{ proto = 6 } / net.raw(bytes:sub(1, len)))
  end
  t:shows("RFC9293-3.1-1", peer:expect_nothing { during = "100ms" })
  t:is({ host:counter "TcpInSegs", host:counter "TcpPassiveOpens" }, { 6, 0 })
end)

-- Options -----------------------------------------------------------------------------------------

-- Lists of options in hex: what a parser must survive. mss: what the SYN then offers (nil: 536).
local LISTS = {
  { "the length is 0", "0200 0000" },
  { "the length is 1", "0201 0000" },
  { "the length goes beyond the header", "0208 05b4" },
  { "the length is 255", "02ff 05b4" },
  { "a kind is the last octet, without a length", "0101 0102" },
  { "MSS of length 3", "0203 0501" },
  { "MSS of length 5", "0205 05b4 0001 0101" },
  { "MSS of 0", "0204 0000" },
  { "window scale of length 2", "0302 0101" },
  { "window scale of length 4", "0304 0700" },
  { "SACK-permitted of length 3", "0403 0001" },
  { "SACK of length 9", "0509 0000 0001 0000 0001 0101" },
  { "SACK of length 2, no block", "0502 0101" },
  { "SACK of 34 octets beyond the header", "0522 0000 0001 0000 0002" },
  { "time stamp of length 9", "0809 0000 0001 0000 0001 0101" },
  { "time stamp of length 11", "080b 0000 0001 0000 0000 0001" },
  { "time stamp of length 2", "0802 0101" },
  { "an unknown option of length 2", "fd02 0101" },
  { "an unknown option of length 40 beyond the header", "fd28 0102" },
  { "forty times NOP", ("01"):rep(40) },
  { "the end at once, and rubbish behind it", "00ff ffff ffff ffff" },
  { "AO of length 2, MD5 of length 3", "1d02 1303 0101 0101" },
  { "fast open of odd length", "2205 aabb cc01 0101 0101" },
}

local function with_options(segment, hex)
  local bytes = hex:gsub(" ", ""):gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end)
  segment.tcp.options = bytes .. ("\0"):rep(-#bytes % 4)
  return segment
end

for _, list in ipairs(LISTS) do
  tap.test("SYN: " .. list[1], function(t)
    local host, peer, server = tcp.listen()
    peer:send(with_options(peer:segment "S 0:0(0) win 65535", list[2]))
    t:shows("RFC9293-MUST-7", peer:expect "S. 0:0(0) ack 1 <mss 1460>")
    peer:send ". 1:1(0) ack 1 win 65535"
    local conn = server:accept()
    conn:option("TCP_NODELAY", 1)
    conn:send(("x"):rep(600)) -- no MSS was learned from it: 536
    t:is(tcp.sent(peer), "1:537 537:601")
    t:is(host:counter "TcpInErrs", 0)
  end)

  tap.test("in a connection: " .. list[1], function(t)
    local host, peer, conn = tcp.passive { syn = "mss 1460,nop,nop,sackOK" }
    conn:option("TCP_NODELAY", 1)
    conn:send "hello"
    peer:expect "P. 1:6(5) ack 1"
    peer:send(with_options(peer:segment "P. 1:6(5) ack 6 win 65535", list[2]))
    t:shows("RFC9293-MUST-7", peer:expect ". 6:6(0) ack 6")
    t:is(tcp.got(conn), net.pattern(1, 5))
    t:is({ conn:info().state, conn:info().unacked, conn:info().sacked }, { "ESTABLISHED", 0, 0 })
    t:is(host:counter "TcpInErrs", 0)
  end)
end

tap.test("MSS is sent in SYN and SYN,ACK, and that of the other is kept to", function(t)
  local _, peer, conn = tcp.active { syn = "mss 700" }
  conn:option("TCP_NODELAY", 1)
  conn:send(("x"):rep(1400))
  t:shows("RFC9293-MUST-14", t:is(tcp.sent(peer), "1:701 701:1401"))
  local _, other = tcp.listen()
  other:send "S 0:0(0) win 65535 <mss 700>"
  t:shows("RFC9293-MAY-3", other:expect "S. 0:0(0) ack 1 <mss 1460>")
end)

for _, mtu in ipairs { 576, 1006, 1500, 9000 } do
  tap.test(("a link of MTU %d: MSS %d in the SYN"):format(mtu, mtu - 40), function(t)
    local _, peer = tcp.listen { mtu = mtu }
    peer:send "S 0:0(0) win 65535 <mss 1460>"
    t:shows("RFC9293-SHLD-5", peer:expect(("S. 0:0(0) ack 1 <mss %d>"):format(mtu - 40)))
  end)
end

tap.test("the MSS option is there too when it says 536", function(t)
  local _, peer = tcp.listen { mtu = 576 }
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  t:shows("RFC9293-MAY-3", peer:expect "S. 0:0(0) ack 1 <mss 536>")
end)

tap.test("every list of options ends with the header: filled up with NOP, never with an end", function(t)
  local host, peer, client = tcp.connecting()
  local again = peer:expect("S 0:0(0)", { at = "+1s" })
  local function plain(frame)
    local bytes = segment_bytes(frame):sub(21, frame.tcp.doff * 4)
    local i = 1
    while i <= #bytes do
      local kind = bytes:byte(i)
      t:isnt(kind, 0)
      i = i + (kind == 1 and 1 or bytes:byte(i + 1))
    end
    return i == #bytes + 1
  end
  t:ok(plain(again))
  peer:send(("S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>"))
  t:shows("RFC9293-3.2-2", t:ok(plain(peer:expect ". 1:1(0) ack 1")))
  client:send "x"
  t:ok(plain(peer:expect "P. 1:2(1) ack 1"))
  peer:send ". 1000:1001(1) ack 2 win 65535 <nop,nop,TS val 2 ecr 0>"
  t:ok(plain(peer:expect ". 2:2(0) ack 1"))
  t:is(host:counter "TcpInErrs", 0)
end)

-- The acknowledgment field ------------------------------------------------------------------------

tap.test("once established every segment acknowledges what comes next: data, FIN, again, reset", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("TCP_NODELAY", 1)
  peer:send "P. 1:101(100) ack 1"
  peer:expect ". 1:1(0) ack 101"
  conn:send "data"
  peer:expect "P. 1:5(4) ack 101"
  conn:shutdown "wr"
  peer:expect "F. 5:5(0) ack 101"
  local frames = peer:collect { during = "3s" } -- all of it again
  t:ok(#frames >= 3)
  for _, frame in ipairs(frames) do
    t:shows("RFC9293-3.1-3", t:is({ frame.tcp.flags:find(".", 1, true) ~= nil,
      frame.tcp.ack - 1000000 }, { true, 101 }))
  end
end)

tap.test("PSH and URG of what comes without data change nothing", function(t)
  local _, peer, conn = tcp.passive()
  for _, flags in ipairs { "P.", "U.", "PU." } do peer:send(flags .. " 1:1(0) ack 1 win 65535") end
  t:ok(peer:expect_nothing { during = "1s" })
  t:is({ conn:info().state, #tcp.got(conn) }, { "ESTABLISHED", 0 })
end)
