/* SPDX-License-Identifier: MIT */
/* Queues of sk_buffs (skbuff.h). Invariants: qlen is the number of packets; next of the last and
 * prev of the first are NULL. */
#include "skb/skbuff.h"

void skb_queue_head_init(struct sk_buff_head *q)
{
	*q = (struct sk_buff_head){ 0 };
}

void skb_queue_tail(struct sk_buff_head *q, struct sk_buff *skb)
{
	skb->next = NULL;
	skb->prev = q->prev;
	if (q->prev)
		q->prev->next = skb;
	else
		q->next = skb;
	q->prev = skb;
	q->qlen++;
}

void skb_queue_head(struct sk_buff_head *q, struct sk_buff *skb)
{
	skb->prev = NULL;
	skb->next = q->next;
	if (q->next)
		q->next->prev = skb;
	else
		q->prev = skb;
	q->next = skb;
	q->qlen++;
}

void skb_append(struct sk_buff_head *q, struct sk_buff *old, struct sk_buff *skb)
{
	skb->prev = old;
	skb->next = old->next;
	if (old->next)
		old->next->prev = skb;
	else
		q->prev = skb;
	old->next = skb;
	q->qlen++;
}

void skb_unlink(struct sk_buff_head *q, struct sk_buff *skb)
{
	ASSERT(q->qlen > 0);
	if (skb->prev)
		skb->prev->next = skb->next;
	else
		q->next = skb->next;
	if (skb->next)
		skb->next->prev = skb->prev;
	else
		q->prev = skb->prev;
	skb->next = NULL;
	skb->prev = NULL;
	q->qlen--;
}

struct sk_buff *skb_dequeue(struct sk_buff_head *q)
{
	struct sk_buff *skb = q->next;

	if (skb)
		skb_unlink(q, skb);
	return skb;
}

void skb_queue_purge_reason(struct sk_buff_head *q, enum skb_drop_reason reason)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(q)) != NULL)
		kfree_skb_reason(skb, reason);
}
