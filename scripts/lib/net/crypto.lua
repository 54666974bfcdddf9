-- SPDX-License-Identifier: MIT
-- What signs TCP segments, written a second time, so that a script checks the stack against something
-- else than itself: MD5 (RFC 1321), HMAC-SHA1 (RFC 2104, FIPS 180-4), AES-CMAC (RFC 4493, FIPS 197).
local crypto = {}

local WORD = 0xffffffff

local function rol(v, n) return (v << n | (v & WORD) >> (32 - n)) & WORD end

-- With the padding of MD5 and SHA-1; `length`: how it is packed.
local function blocks(text, length)
  local rest = (55 - #text) % 64
  text = text .. "\x80" .. ("\0"):rep(rest) .. length:pack(#text * 8)
  local at = -63
  return function()
    at = at + 64
    if at < #text then return text:sub(at, at + 63) end
    return nil
  end
end

-- RFC 1321 3.4: floor(2^32 * |sin(i + 1)|), in the order of its rounds.
local sines = {
  0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
  0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
  0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
  0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
  0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
  0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
  0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
  0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
}
local shifts = { [0] = { [0] = 7, 12, 17, 22 }, { [0] = 5, 9, 14, 20 }, { [0] = 4, 11, 16, 23 },
  { [0] = 6, 10, 15, 21 } }

local function md5_step(i, b, c, d)
  if i < 16 then return b & c | ~b & d, i end
  if i < 32 then return d & b | ~d & c, (5 * i + 1) % 16 end
  if i < 48 then return b ~ c ~ d, (3 * i + 5) % 16 end
  return c ~ (b | ~d & WORD), 7 * i % 16
end

function crypto.md5(text)
  local s = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 }
  for block in blocks(text, "<I8") do
    local w = { ("<" .. ("I4"):rep(16)):unpack(block) }
    local a, b, c, d = table.unpack(s)
    for i = 0, 63 do
      local f, k = md5_step(i, b, c, d)
      f = f + a + sines[i + 1] + w[k + 1]
      a, d, c, b = d, c, b, b + rol(f & WORD, shifts[i // 16][i % 4]) & WORD
    end
    for i, v in ipairs { a, b, c, d } do s[i] = s[i] + v & WORD end
  end
  return ("<I4I4I4I4"):pack(table.unpack(s))
end

local function sha1_step(i, b, c, d)
  if i <= 20 then return (b & c | ~b & d) + 0x5a827999 end
  if i <= 40 then return (b ~ c ~ d) + 0x6ed9eba1 end
  if i <= 60 then return (b & c | b & d | c & d) + 0x8f1bbcdc end
  return (b ~ c ~ d) + 0xca62c1d6
end

function crypto.sha1(text)
  local s = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 }
  for block in blocks(text, ">I8") do
    local w = { (">" .. ("I4"):rep(16)):unpack(block) }
    for i = 17, 80 do w[i] = rol(w[i - 3] ~ w[i - 8] ~ w[i - 14] ~ w[i - 16], 1) end
    local a, b, c, d, e = table.unpack(s)
    for i = 1, 80 do
      a, b, c, d, e = rol(a, 5) + sha1_step(i, b, c, d) + e + w[i] & WORD, a, rol(b, 30), c, d
    end
    for i, v in ipairs { a, b, c, d, e } do s[i] = s[i] + v & WORD end
  end
  return (">I4I4I4I4I4"):pack(table.unpack(s))
end

local function xor(a, b)
  local out = {}
  for i = 1, #a do out[i] = string.char(a:byte(i) ~ b:byte(i)) end
  return table.concat(out)
end

function crypto.hmac_sha1(key, text)
  if #key > 64 then key = crypto.sha1(key) end
  key = key .. ("\0"):rep(64 - #key)
  return crypto.sha1(xor(key, ("\x5c"):rep(64)) .. crypto.sha1(xor(key, ("\x36"):rep(64)) .. text))
end

-- AES-128: the S-box is made, not written down: inverses in GF(2^8) by powers of 3 (FIPS 197 5.1.1).
local function xtime(v) return (v << 1 ~ (v >= 128 and 0x1b or 0)) & 255 end

local sbox = { [0] = 0x63 }
do
  local power, log, v = {}, {}, 1
  for i = 0, 254 do
    power[i], log[v] = v, i
    v = v ~ xtime(v)
  end
  for x = 1, 255 do
    local inv, out = power[(255 - log[x]) % 255], 0x63
    for n = 0, 4 do out = out ~ ((inv << n | inv >> (8 - n)) & 255) end
    sbox[x] = out
  end
end

local function round_keys(key)
  local k, rcon = { key:byte(1, 16) }, 1
  for at = 17, 161, 16 do
    for i = 0, 3 do
      k[at + i] = k[at + i - 16] ~ sbox[k[at - 4 + (i + 1) % 4]] ~ (i == 0 and rcon or 0)
    end
    for i = 4, 15 do k[at + i] = k[at + i - 16] ~ k[at + i - 4] end
    rcon = xtime(rcon)
  end
  return k
end

local function mix(c)
  for at = 1, 16, 4 do
    local a, b, d, e = c[at], c[at + 1], c[at + 2], c[at + 3]
    local all = a ~ b ~ d ~ e
    c[at], c[at + 1] = a ~ all ~ xtime(a ~ b), b ~ all ~ xtime(b ~ d)
    c[at + 2], c[at + 3] = d ~ all ~ xtime(d ~ e), e ~ all ~ xtime(e ~ a)
  end
end

local function encrypt(k, block)
  local s = { block:byte(1, 16) }
  for i = 1, 16 do s[i] = s[i] ~ k[i] end
  for round = 1, 10 do
    local t = {}
    for i = 0, 15 do t[i + 1] = sbox[s[(i + 4 * (i % 4)) % 16 + 1]] end
    if round < 10 then mix(t) end
    for i = 1, 16 do t[i] = t[i] ~ k[16 * round + i] end
    s = t
  end
  return string.char(table.unpack(s))
end

local function subkey(block)
  local hi, lo = (">i8i8"):unpack(block)
  local carry = hi < 0 and 0x87 or 0
  return (">i8i8"):pack(hi << 1 | lo >> 63, lo << 1 ~ carry)
end

function crypto.aes_cmac(key, text)
  local k = round_keys(key)
  local k1 = subkey(encrypt(k, ("\0"):rep(16)))
  local mac, last = ("\0"):rep(16), #text > 0 and (#text - 1) // 16 * 16 or 0
  for at = 1, last, 16 do mac = encrypt(k, xor(mac, text:sub(at, at + 15))) end
  local tail = text:sub(last + 1)
  if #tail < 16 then
    tail = tail .. "\x80" .. ("\0"):rep(15 - #tail)
    k1 = subkey(k1)
  end
  return encrypt(k, xor(mac, xor(tail, k1)))
end

return crypto
