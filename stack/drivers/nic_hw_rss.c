/* SPDX-License-Identifier: MIT */
/*
 * Receive side scaling of the software NIC: which queue a frame goes to. The Toeplitz hash of
 * addresses and ports chooses an entry of the redirection table; a fragment, and what is neither
 * TCP nor UDP, is hashed by addresses alone; what is no IP has no hash and goes to queue 0.
 *
 * Invariant: frames of one flow go to one queue as long as key, fields and table stay.
 */
#include "drivers/nic_hw_priv.h"
#include "lib/toeplitz.h"

struct nic_hw_rss {
	u32 mrqc;
	u8 key[TOEPLITZ_KEY_LEN];
	u8 reta[NIC_RETA_SIZE];
	bool lut_valid;
	struct toeplitz_lut lut;
};

int nic_hw_rss_create(struct nic_hw *hw)
{
	if (hw->queues == 1)
		return 0;
	hw->rss = mem_zalloc(hw->world, MEM_NIC, sizeof(*hw->rss));
	return hw->rss ? 0 : -ENOMEM;
}

void nic_hw_rss_free(struct nic_hw *hw)
{
	if (hw->rss)
		mem_free(hw->world, MEM_NIC, hw->rss, sizeof(*hw->rss));
	hw->rss = NULL;
}

void nic_hw_rss_reset(struct nic_hw *hw)
{
	if (hw->rss)
		hw->rss->mrqc = 0;
}

u32 nic_hw_rss_read(const struct nic_hw *hw, enum nic_reg reg, u32 index)
{
	const struct nic_hw_rss *rss = hw->rss;

	if (!rss)
		return 0;
	if (reg == NIC_MRQC)
		return rss->mrqc;
	if (reg == NIC_RSSRK)
		return index < TOEPLITZ_KEY_LEN / 4 ? get_be32(rss->key + 4 * index) : 0;
	return index < NIC_RETA_SIZE ? rss->reta[index] : 0;
}

void nic_hw_rss_write(struct nic_hw *hw, enum nic_reg reg, u32 index, u32 value)
{
	struct nic_hw_rss *rss = hw->rss;

	if (!rss)
		return;
	if (reg == NIC_MRQC) {
		rss->mrqc = value;
	} else if (reg == NIC_RSSRK && index < TOEPLITZ_KEY_LEN / 4) {
		put_be32(rss->key + 4 * index, value);
		rss->lut_valid = false;
	} else if (reg == NIC_RETA && index < NIC_RETA_SIZE && value < hw->queues) {
		rss->reta[index] = (u8)value;
	}
}

/* What is hashed of a frame, at `in`: bytes; 0: nothing. *l4: ports are part of it. */
static u32 rss_input(const struct nic_hw_rss *rss, const u8 *frame, u32 len, u8 *in, bool *l4)
{
	struct nic_hw_parse p;
	u32 addr_len;

	*l4 = false;
	if (!nic_hw_parse(frame, len, &p))
		return 0;
	addr_len = p.v6 ? 16 : 4;
	memcpy(in, p.v6 ? p.ip + 8 : p.ip + 12, 2 * addr_len);
	*l4 = p.l4 && (p.proto != 17 || rss->mrqc & MRQC_UDP);
	if (*l4)
		memcpy(in + 2 * addr_len, p.l4, 4);
	if (rss->mrqc & MRQC_SYM_XOR) {
		for (u32 i = 0; i < addr_len; i++)
			in[i] = in[addr_len + i] = in[i] ^ in[addr_len + i];
		for (u32 i = 2 * addr_len; *l4 && i < 2 * addr_len + 2; i++)
			in[i] = in[i + 2] = in[i] ^ in[i + 2];
	}
	return 2 * addr_len + (*l4 ? 4 : 0);
}

u32 nic_hw_rss_queue(struct nic_hw *hw, const u8 *frame, u32 len, u32 *hash, u32 *status)
{
	struct nic_hw_rss *rss = hw->rss;
	u8 in[TOEPLITZ_INPUT_MAX];
	u32 n;
	bool l4;

	*hash = 0;
	if (!rss || !(rss->mrqc & MRQC_RSS))
		return 0;
	n = rss_input(rss, frame, len, in, &l4);
	if (!n)
		return 0;
	if (!rss->lut_valid) {
		toeplitz_lut_init(&rss->lut, rss->key);
		rss->lut_valid = true;
	}
	*hash = n <= TOEPLITZ_LUT_LEN ? toeplitz_lut_hash(&rss->lut, in, n) :
					toeplitz_hash(rss->key, in, n);
	*status = RXD_HASH | (l4 ? RXD_L4HASH : 0);
	return rss->reta[*hash & (NIC_RETA_SIZE - 1)];
}
