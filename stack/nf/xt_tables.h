/* SPDX-License-Identifier: MIT */
/* Making and taking apart tables, chains and rules (xt_table.c), for who runs commands. */
#ifndef TAPLINE_NF_XT_TABLES_H
#define TAPLINE_NF_XT_TABLES_H

#include "lib/list.h"
#include "nf/xt.h"

/* The table, made when it is not there. NULL: no memory. */
struct xt_table *xt_table_need(struct net *net, u16 pf, u8 kind);
/* hook NF_INET_NUMHOOKS: a user's. NULL: no memory. */
struct xt_chain *xt_chain_make(struct xt_table *t, const char *name, u32 hook);
void xt_chain_flush(struct xt_table *t, struct xt_chain *c);
/* Of a chain without rules. */
void xt_chain_free(struct xt_table *t, struct xt_chain *c);
/* In front of `before`. NULL: no memory. */
struct xt_rule *xt_rule_make(struct xt_table *t, struct xt_chain *c, struct list_head *before,
			     const struct xt_command *cmd);
void xt_rule_free(struct xt_table *t, struct xt_chain *c, struct xt_rule *r);
/* The n-th, from 1. NULL: there are not so many. */
struct xt_rule *xt_rule_nth(const struct xt_chain *c, u32 n);
/* The first that says the same. */
struct xt_rule *xt_rule_find(const struct xt_chain *c, const struct xt_spec *spec);

#endif
