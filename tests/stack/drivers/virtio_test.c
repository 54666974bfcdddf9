/* SPDX-License-Identifier: MIT */
/* Split virtqueues: the driver's half by itself, the rule of event indices, and a device that is
 * given descriptors that lead nowhere. */
#include "stack/bare_world.h"

#include "drivers/nic_hw_priv.h"
#include "drivers/virtio_ring.h"

static void event_index_rule(void **state)
{
	(void)state;
	/* Told exactly when the index asked for was passed, also around the end. */
	assert_true(vring_need_event(5, 6, 5));
	assert_false(vring_need_event(5, 5, 4));
	assert_true(vring_need_event(5, 9, 3));
	assert_false(vring_need_event(5, 9, 6));
	assert_true(vring_need_event(0xffff, 0, 0xffff));
	assert_true(vring_need_event(0xffff, 2, 0xfffe));
	assert_false(vring_need_event(3, 2, 0xfffe));
	assert_false(vring_need_event(7, 7, 7));
}

/* The device's part, by hand: uses the oldest available buffer. */
static void use_one(struct virtqueue *vq, u16 *seen, u32 len)
{
	u16 used = get_le16(vq->used + 2);
	u32 head = get_le16(vq->avail + 4 + 2 * ((*seen)++ % vq->num));

	put_le32(vq->used + 4 + 8 * (used % vq->num), head);
	put_le32(vq->used + 8 + 8 * (used % vq->num), len);
	put_le16(vq->used + 2, (u16)(used + 1));
}

static void buffers_come_back(void **state)
{
	struct world *w = bare_world(1);
	struct virtqueue *vq = vring_new_virtqueue(w, 4, false);
	u8 *p = mem_alloc_n(w, MEM_MISC, 64, 1);
	struct virtio_sg sg[3] = { { p, 10 }, { p + 10, 20 }, { p + 30, 30 } };
	int a, b;
	u16 seen = 0;
	u32 len;

	(void)state;
	assert_non_null(vq);
	/* More rounds than an index has values, with chains of one and of three. */
	for (u32 i = 0; i < 70000; i++) {
		virtqueue_add(vq, sg, 3, 3, &a);
		virtqueue_add(vq, sg, 1, 0, &b);
		assert_int_equal(vq->num_free, 0);
		assert_true(virtqueue_kick_prepare(vq));
		assert_false(virtqueue_more_used(vq));
		use_one(vq, &seen, 7);
		use_one(vq, &seen, 8);
		assert_int_equal(virtqueue_used(vq), 2);
		assert_int_equal(virtqueue_used_len(vq, 1), 8);
		assert_ptr_equal(virtqueue_peek(vq, 1), &b);
		assert_ptr_equal(virtqueue_get_buf(vq, &len), &a);
		assert_int_equal(len, 7);
		assert_ptr_equal(virtqueue_get_buf(vq, &len), &b);
		assert_null(virtqueue_get_buf(vq, &len));
		assert_int_equal(vq->num_free, 4);
	}
	virtqueue_add(vq, sg, 2, 2, &a);
	assert_ptr_equal(virtqueue_detach_unused_buf(vq), &a);
	assert_null(virtqueue_detach_unused_buf(vq));
	vring_del_virtqueue(vq);
	mem_free_n(w, MEM_MISC, p, 64, 1);
	bare_world_end(w);
}

/* A device whose transmit queue is `vq`; no wire, so that nothing good can leave. */
static struct nic_hw *device(struct world *w, const struct virtqueue *vq)
{
	struct nic_hw *hw = nic_hw_create(w, 1);

	assert_non_null(hw);
	assert_int_equal(vnet_hw_create(hw), 0);
	vnet_hw_queue(hw, 1, dma_map(w, vq->desc), dma_map(w, vq->avail), dma_map(w, vq->used),
		      vq->num);
	nic_hw_write(hw, NIC_TCTL, 0, TCTL_EN);
	return hw;
}

static void bad_chains_are_used_up(void **state)
{
	struct world *w = bare_world(1);
	struct virtqueue *vq = vring_new_virtqueue(w, 4, false);
	u8 *p = mem_alloc_n(w, MEM_MISC, 64, 1);
	struct virtio_sg sg[2] = { { p, 12 }, { p + 12, 40 } };
	struct nic_hw *hw = device(w, vq);
	u32 len;
	int a;

	(void)state;
	memset(p, 0, 64);
	for (u32 kind = 0; kind < 5; kind++) {
		virtqueue_add(vq, sg, kind == 3 ? 1 : 2, 2, &a);
		switch (kind) {
		case 0: /* a loop */
			put_le16(vq->desc + 16 + 12, VRING_DESC_F_NEXT);
			put_le16(vq->desc + 16 + 14, 0);
			break;
		case 1: /* a descriptor that is not there */
			put_le16(vq->desc + 14, 9);
			break;
		case 2: /* longer than a packet can be */
			put_le32(vq->desc + 16 + 8, 0xffffffff);
			break;
		case 4: /* a head that is not there */
			put_le16(vq->avail + 4 + 2 * ((vq->avail_idx - 1) % 4), 77);
			break;
		default: /* 3: a header and no packet */
			break;
		}
		virtqueue_kick_prepare(vq);
		vnet_hw_notify(hw, 1);
		assert_int_equal(nic_hw_stats(hw)->tx_bad_descriptor, kind + 1);
		assert_int_equal(virtqueue_used(vq), 1);
		/* The chain as it was, for a clean end. */
		put_le16(vq->desc + 14, 1);
		put_le16(vq->desc + 16 + 12, 0);
		put_le16(vq->desc + 16 + 14, 2);
		if (kind == 3)
			put_le16(vq->desc + 12, 0);
		put_le32(vq->used + 4 + 8 * (vq->last_used % 4), 0);
		assert_ptr_equal(virtqueue_get_buf(vq, &len), &a);
	}
	nic_hw_write(hw, NIC_CTRL, 0, CTRL_RST);
	nic_hw_free(hw);
	vring_del_virtqueue(vq);
	mem_free_n(w, MEM_MISC, p, 64, 1);
	bare_world_end(w);
}

static void queues_outside_of_memory_are_off(void **state)
{
	struct world *w = bare_world(1);
	struct virtqueue *vq = vring_new_virtqueue(w, 4, true);
	struct nic_hw *hw = device(w, vq);

	(void)state;
	vnet_hw_queue(hw, 1, ~0ull - 8, dma_map(w, vq->avail), dma_map(w, vq->used), 4);
	vnet_hw_notify(hw, 1);
	vnet_hw_queue(hw, 0, dma_map(w, vq->desc), dma_map(w, vq->avail), 1ull << 60, 4);
	vnet_hw_queue(hw, 2, 0, 0, 0, 4);
	vnet_hw_notify(hw, 0);
	assert_int_equal(nic_hw_stats(hw)->tx_bad_descriptor, 0);
	nic_hw_free(hw);
	vring_del_virtqueue(vq);
	bare_world_end(w);
}

/* What a device must not say: the queue is broken, no buffer is lost, none is given out twice. */
static void lying_used_rings(void **state)
{
	struct world *w = bare_world(1);
	u8 *p = mem_alloc_n(w, MEM_MISC, 64, 1);
	struct virtio_sg sg[2] = { { p, 10 }, { p + 10, 20 } };
	u32 len;

	(void)state;
	for (u32 kind = 0; kind < 4; kind++) {
		struct virtqueue *vq = vring_new_virtqueue(w, 4, kind & 1);
		u16 seen = 0;
		int a, b;

		assert_true(virtqueue_add(vq, sg, 2, 2, &a));
		assert_true(virtqueue_add(vq, sg, 1, 0, &b));
		use_one(vq, &seen, 7);
		switch (kind) {
		case 0: /* out of range */
			put_le32(vq->used + 4, 4);
			break;
		case 1: /* in the middle of a chain */
			put_le32(vq->used + 4, 1);
			break;
		case 2: /* free */
			put_le32(vq->used + 4, 3);
			break;
		default: /* one that was taken: the index runs ahead of what is there */
			put_le16(vq->used + 2, 0x8000);
			assert_ptr_equal(virtqueue_get_buf(vq, &len), &a);
			put_le32(vq->used + 4 + 8, 0);
		}
		assert_null(virtqueue_get_buf(vq, &len));
		assert_true(vq->broken);
		assert_false(virtqueue_more_used(vq));
		assert_true(virtqueue_enable_cb(vq)); /* no reason to look again */
		assert_false(virtqueue_add(vq, sg, 1, 0, &b));
		assert_false(virtqueue_kick_prepare(vq));
		/* All that was given is there, once. */
		memset(vq->desc, 0xff, 4 * VRING_DESC_SIZE);
		if (kind < 3)
			assert_ptr_equal(virtqueue_detach_unused_buf(vq), &a);
		assert_ptr_equal(virtqueue_detach_unused_buf(vq), &b);
		assert_null(virtqueue_detach_unused_buf(vq));
		assert_int_equal(vq->num_free, 4);
		vring_del_virtqueue(vq);
	}
	mem_free_n(w, MEM_MISC, p, 64, 1);
	bare_world_end(w);
}

static void what_is_mapped(void **state)
{
	struct world *w = bare_world(1);
	struct virtqueue *vq = vring_new_virtqueue(w, 4, false);
	u8 *p = mem_alloc_n(w, MEM_MISC, 64, 1);
	struct virtio_sg sg[2] = { { p, 10 }, { p + 20, 20 } };
	u64 base = dma_map(w, p);
	int a;

	(void)state;
	assert_false(virtqueue_mapped(vq, base, 1));
	virtqueue_add(vq, sg, 2, 2, &a);
	assert_true(virtqueue_mapped(vq, base, 10));
	assert_false(virtqueue_mapped(vq, base, 11));
	assert_true(virtqueue_mapped(vq, base + 39, 1));
	assert_false(virtqueue_mapped(vq, base + 9, 2));
	assert_false(virtqueue_mapped(vq, base + 10, 1));
	assert_false(virtqueue_mapped(vq, base + 1, ~0ull));
	assert_ptr_equal(virtqueue_detach_unused_buf(vq), &a);
	assert_false(virtqueue_mapped(vq, base, 1));
	vring_del_virtqueue(vq);
	mem_free_n(w, MEM_MISC, p, 64, 1);
	bare_world_end(w);
}

static bool command(struct nic_hw *hw, u32 class, u32 number, const char *data, u32 len)
{
	u8 bytes[64] = { (u8) class, (u8)number };

	memcpy(bytes + 2, data, len);
	return vnet_hw_command(hw, bytes, 2 + len);
}

/* 5.1.6.5: what is not negotiated, unknown, or of a wrong length is refused and changes nothing. */
static void control_commands(void **state)
{
	static const char table[] = "\0\0\0\0\1\0\0\0\1\0\x5e\1\2\3";
	struct world *w = bare_world(1);
	struct virtqueue *vq = vring_new_virtqueue(w, 4, true);
	struct nic_hw *hw = device(w, vq);

	(void)state;
	assert_false(command(hw, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, "\1", 1));
	vnet_hw_features(hw, ~0ull);
	/* One pair has no VIRTIO_NET_F_MQ. */
	assert_int_equal(hw->vnet_features, vnet_hw_offered(hw));
	assert_false(command(hw, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, "\1\0", 2));
	assert_true(command(hw, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, "\1", 1));
	assert_int_equal(hw->rctl, RCTL_UPE);
	assert_false(command(hw, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, "\0\0", 2));
	assert_false(command(hw, VIRTIO_NET_CTRL_RX, 2, "\0", 1));
	assert_false(command(hw, 9, 0, "\0", 1));
	assert_false(vnet_hw_command(hw, (const u8 *)"\0", 1));
	assert_int_equal(hw->rctl, RCTL_UPE);
	assert_true(command(hw, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, table, 14));
	assert_true(vnet_hw_filter(hw, (const u8 *)table + 8));
	assert_false(vnet_hw_filter(hw, (const u8 *)"\1\0\x5e\1\2\4"));
	for (u32 len = 0; len < 14; len++)
		assert_false(command(hw, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, table,
				     len));
	assert_false(command(hw, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET,
			     "\xff\xff\xff\xff\0\0\0\0", 8));
	assert_true(vnet_hw_filter(hw, (const u8 *)table + 8));
	assert_false(command(hw, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, table, 5));
	assert_true(command(hw, VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, "\xff\x0f", 2));
	assert_int_equal(hw->vfta[127], 1u << 31);
	assert_false(command(hw, VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, "\0\x10", 2));
	assert_true(command(hw, VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_DEL, "\xff\x0f", 2));
	assert_int_equal(hw->vfta[127], 0);
	assert_int_equal(vnet_hw_announce(hw), 0);
	assert_int_equal(vnet_hw_status(hw), VIRTIO_NET_S_ANNOUNCE);
	assert_false(command(hw, VIRTIO_NET_CTRL_ANNOUNCE, 1, "", 0));
	assert_true(command(hw, VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK, "", 0));
	assert_int_equal(vnet_hw_status(hw), 0);
	nic_hw_free(hw);
	vring_del_virtqueue(vq);
	bare_world_end(w);
}

/* Without VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET the first pair is in use alone: its vector tells. */
static void pairs_not_in_use(void **state)
{
	static const u8 frame[60];
	const struct nic_hw_rx rx = { .frame = frame, .len = 60, .segs = 1, .wire = 60 };
	struct world *w = bare_world(1);
	struct virtqueue *vq = vring_new_virtqueue(w, 4, false);
	u8 *p = mem_alloc_n(w, MEM_MISC, 128, 1);
	struct virtio_sg sg = { p, 128 };
	struct nic_hw *hw = nic_hw_create(w, 2);
	u32 len;
	int a;

	(void)state;
	assert_int_equal(vnet_hw_create(hw), 0);
	vnet_hw_queue(hw, 0, dma_map(w, vq->desc), dma_map(w, vq->avail), dma_map(w, vq->used),
		      vq->num);
	virtqueue_add(vq, &sg, 1, 0, &a);
	virtqueue_kick_prepare(vq);
	assert_int_equal(vnet_hw_receive(hw, 1, &rx), NIC_HW_PLACED);
	assert_ptr_equal(virtqueue_get_buf(vq, &len), &a);
	assert_int_equal(hw->q[0].vector.icr, ICR_RX);
	assert_int_equal(hw->q[1].vector.icr, 0);
	nic_hw_free(hw);
	vring_del_virtqueue(vq);
	mem_free_n(w, MEM_MISC, p, 128, 1);
	bare_world_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_index_rule),
		cmocka_unit_test(buffers_come_back),
		cmocka_unit_test(bad_chains_are_used_up),
		cmocka_unit_test(queues_outside_of_memory_are_off),
		cmocka_unit_test(lying_used_rings),
		cmocka_unit_test(what_is_mapped),
		cmocka_unit_test(control_commands),
		cmocka_unit_test(pairs_not_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
